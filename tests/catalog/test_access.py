"""Effective access: for any member and any model the rule that decides, equal to what routing does; in the API and the
console, for those whose business it is."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership, User
from accounts.policies import Actor
from catalog import access
from catalog.facts import facts_for
from catalog.models import Context, Rule
from catalog.routing import RoutingRequest, plan
from providers import credentials
from tests.accounts.conftest import prove_passkey
from tests.catalog.test_policy import KEY
from tests.catalog.worlds import model, store
from tests.providers.people import api_client


@pytest.fixture
def catalog(alice: Actor) -> None:
    store(model("openai/a"), model("openai/b"), model("gemini/c"), model("openai/gone", lifecycle="vanished"))
    credentials.save(alice, provider_id="openai", secret=KEY, shared=True)


def rule(actor: Actor, effect: str, **over: Any) -> Rule:
    return Rule.objects.create(workspace_id=actor.workspace_id, effect=effect, **over)


def told(actor: Actor, context: str = "chat") -> dict[str, tuple[str, str, str]]:
    return {one.model.key: (one.verdict, one.decided_by, one.why) for one in access.of(actor, context)}


@pytest.mark.usefixtures("catalog")
def test_it_names_the_rule_and_why(alice: Actor, bob: Actor) -> None:
    dear = rule(alice, "deny", model_pattern="a", role="member", reason="Too dear.")
    assert told(bob) == {
        "openai/a": ("policy_denied", f"rule:{dear.pk}", "Too dear."),
        "openai/b": ("chosen", "no_rule", "No rule is about it."),
        "openai/gone": ("vanished", "no_rule", "Its provider no longer lists it."),
        "gemini/c": ("no_credential", "no_rule", "There is no key for its provider."),
    }
    assert told(alice)["openai/a"][0] == "chosen"
    only = rule(alice, "allow", provider_id="openai", context="chat")
    assert told(bob)["openai/b"] == ("chosen", f"rule:{only.pk}", "A rule says: allow openai, chat.")
    assert told(bob, "doc")["openai/b"][:2] == ("policy_denied", "not_allowed")


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("context", Context.values)
def test_it_is_what_a_request_meets(alice: Actor, bob: Actor, context: str) -> None:
    credentials.save(bob, provider_id="openai", secret=KEY, shared=False)
    rule(alice, "deny", credential_source="own", context="summary")
    rule(alice, "deny", model_pattern="b*", role="member")
    rule(alice, "allow", provider_id="openai", role="owner")
    rule(alice, "allow", context="doc")
    for actor in (alice, bob):
        for one in access.of(actor, context):
            where = plan(RoutingRequest(context, one.model.key), facts_for(actor))
            assert bool(where.attempts) is one.usable
            assert where.trace["candidates"][0]["verdict"] == one.verdict


@pytest.mark.usefixtures("catalog")
def test_a_member_asks_for_themselves_an_administrator_for_anybody(alice: Actor, bob: Actor, charlie: Actor) -> None:
    dear = rule(alice, "deny", model_pattern="a", role="member")
    own = api_client(bob).get("/api/v1/access/?q=openai/a").json()
    assert own["member"] == str(bob.user_id)
    (row,) = own["results"]
    assert (row["allowed"], row["verdict"], row["decided_by"]) == (False, "policy_denied", f"rule:{dear.pk}")
    assert row["credential_source"] == "workspace"
    assert api_client(alice).get(f"/api/v1/access/?member={bob.user_id}&q=openai/a").json()["results"] == [row]
    assert api_client(bob).get(f"/api/v1/access/?member={alice.user_id}").status_code == 403
    assert api_client(alice).get(f"/api/v1/access/?member={charlie.user_id}").status_code == 404
    assert api_client(alice).get("/api/v1/access/?context=dreams").status_code == 400


@pytest.mark.usefixtures("catalog")
def test_it_tells_whose_key_and_never_which(alice: Actor, bob: Actor) -> None:
    credentials.save(bob, provider_id="gemini", secret="AIza" + "b" * 35, shared=False)
    answer = api_client(alice).get(f"/api/v1/access/?member={bob.user_id}")
    assert {row["credential_source"] for row in answer.json()["results"]} == {"own", "workspace"}
    assert "bbb" not in answer.text


@pytest.mark.usefixtures("catalog")
def test_the_console_shows_it_for_its_own_members_only(alice: Actor, bob: Actor, charlie: Actor) -> None:
    dear = rule(alice, "deny", model_pattern="a", role="member", reason="Too dear.")
    client = Client()
    client.force_login(User.objects.get(pk=alice.user_id), "allauth.account.auth_backends.AuthenticationBackend")
    prove_passkey(client)
    ids = {one.user_id: one.pk for one in Membership.objects.all()}
    assert "Effective access" in client.get("/admin/catalog/rule/").text
    bare = client.get("/admin/catalog/rule/access/").text
    assert "bob@example.com" in bare
    assert "charlie@example.com" not in bare
    page = client.get(f"/admin/catalog/rule/access/?member={ids[bob.user_id]}&context=chat").text
    assert "Too dear." in page
    assert f"/admin/catalog/rule/{dear.pk}/change/" in page
    foreign = client.get(f"/admin/catalog/rule/access/?member={ids[charlie.user_id]}").text
    assert "Select a valid choice" in foreign
    assert "charlie@example.com" not in foreign
