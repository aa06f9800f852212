"""Rules as a table, and the doors to rules and aliases for alice (owner), bob (member) and charlie (outsider)."""

from typing import Any

import pytest

from accounts.models import Role
from accounts.policies import Actor
from catalog import naming
from catalog.facts import facts_for
from catalog.models import LanguageModel, ModelAlias, Rule
from catalog.policies import Target, decide
from catalog.routing import RoutingRequest, plan
from providers import credentials
from tests.catalog.worlds import SOMEBODY, model, store
from tests.providers.people import api_client

KEY = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"
EVERY = ("models", "policy")
SOL = Target("chat", "openai", "gpt-6-sol", "own")


def rule(effect: str, **over: Any) -> Rule:
    return Rule(effect=effect, **over)


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        pytest.param([], True, id="no rule"),
        pytest.param([rule("deny")], False, id="everything denied"),
        pytest.param([rule("deny", provider_id="openai")], False, id="provider"),
        pytest.param([rule("deny", provider_id="gemini")], True, id="another provider"),
        pytest.param([rule("deny", model_pattern="gpt-6-*")], False, id="pattern"),
        pytest.param([rule("deny", model_pattern="gpt-6")], True, id="a pattern is the whole name"),
        pytest.param([rule("deny", context="summary")], True, id="another context"),
        pytest.param([rule("deny", role="member")], False, id="role"),
        pytest.param([rule("deny", role="owner")], True, id="another role"),
        pytest.param([rule("deny", credential_source="own")], False, id="own keys"),
        pytest.param([rule("deny", credential_source="workspace")], True, id="another source"),
        pytest.param([rule("allow", provider_id="openai")], True, id="allowed"),
        pytest.param([rule("allow", provider_id="gemini")], False, id="only others are allowed"),
        pytest.param([rule("allow"), rule("deny", model_pattern="gpt-6-sol")], False, id="deny wins"),
    ],
)
def test_deny_wins_and_an_allow_shuts_out_the_rest(rules: list[Rule], allowed: bool) -> None:
    assert decide(SOMEBODY, rules, SOL).allowed is allowed
    assert SOMEBODY.role is Role.MEMBER


@pytest.fixture
def catalog(alice: Actor) -> dict[str, LanguageModel]:
    store(model("openai/a"), model("openai/b"), model("openai/gone", lifecycle="vanished"))
    credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    return {row.model_id: row for row in LanguageModel.objects.all()}


def outcome(actor: Actor, name: str) -> str:
    told = plan(RoutingRequest("chat", name), facts_for(actor))
    return told.attempts[0].model_id if told.attempts else str(told.error)


# ---------------------------------------------------------------- rules
@pytest.mark.usefixtures("catalog")
def test_a_rule_holds_from_the_next_request_on_and_only_in_its_workspace(
    alice: Actor, bob: Actor, charlie: Actor
) -> None:
    credentials.save(charlie, provider_id="openai", secret=KEY, shared=True)
    body = {"effect": "deny", "model_pattern": "a", "role": "member", "reason": "Too dear."}
    made = api_client(alice, EVERY).post("/api/v1/rules/", body, "application/json")
    assert made.status_code == 201, made.content
    assert (outcome(alice, "openai/a"), outcome(bob, "openai/a"), outcome(charlie, "openai/a")) == (
        "a",
        "policy_denied",
        "a",
    )
    assert plan(RoutingRequest("chat", "openai/a"), facts_for(bob)).message == "Too dear."
    row = next(one for one in api_client(bob).get("/api/v1/models/").json()["results"] if one["key"] == "openai/a")
    assert (row["available"], row["reason"]) == (False, "policy_denied")
    assert api_client(alice, EVERY).delete(f"/api/v1/rules/{made.json()['id']}/").status_code == 204
    assert outcome(bob, "openai/a") == "a"


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("body", [{"effect": "maybe"}, {}, {"effect": "deny", "context": "dreams"}])
def test_a_rule_that_makes_no_sense_is_refused(alice: Actor, body: dict[str, str]) -> None:
    assert api_client(alice, EVERY).post("/api/v1/rules/", body, "application/json").status_code == 400


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/api/v1/rules/", {"effect": "deny"}),
        ("/api/v1/aliases/", {"name": "fast", "target": "openai/a", "reason": "Quick"}),
        ("/api/v1/model-migrations/", {"from_model": "openai/a", "to_model": "openai/b"}),
    ],
)
def test_a_member_changes_nothing_and_a_reading_token_neither(
    alice: Actor, bob: Actor, address: str, body: dict[str, str]
) -> None:
    assert api_client(bob, EVERY).post(address, body, "application/json").status_code == 403
    assert api_client(alice, ("models",)).post(address, body, "application/json").status_code == 403
    assert (Rule.objects.count(), ModelAlias.objects.count()) == (0, 0)


@pytest.mark.usefixtures("catalog")
def test_what_is_somebody_else_s_is_not_there(alice: Actor, charlie: Actor) -> None:
    row = Rule.objects.create(workspace_id=alice.workspace_id, effect="deny")
    alias = naming.create(alice, name="fast", target="openai/a", reason="Quick")
    client = api_client(charlie, EVERY)
    assert client.get("/api/v1/rules/").json() == {"results": []}
    assert client.get("/api/v1/aliases/").json() == {"results": []}
    for address in (f"/api/v1/rules/{row.pk}/", f"/api/v1/aliases/{alias.pk}/", "/api/v1/rules/999999/"):
        assert client.delete(address).status_code == 404
    assert (Rule.objects.count(), ModelAlias.objects.count()) == (1, 1)


# ---------------------------------------------------------------- aliases
def test_an_alias_is_a_name_wherever_one_is_given(alice: Actor, bob: Actor, catalog: dict[str, LanguageModel]) -> None:
    ModelAlias.objects.create(name="fast", target=catalog["a"], reason="Everywhere")
    assert outcome(bob, "fast") == "a"
    body = {"name": "fast", "target": "openai/b", "reason": "Here it is b"}
    assert api_client(alice, EVERY).post("/api/v1/aliases/", body, "application/json").status_code == 201
    assert outcome(bob, "fast") == "b", "the workspace's own comes first"
    (told,) = api_client(bob).get("/api/v1/models/").json()["aliases"]
    assert (told["name"], told["target"], told["scope"], told["reason"]) == (
        "fast",
        "openai/b",
        "workspace",
        "Here it is b",
    )
    naming.check(bob, "fast")


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "openai/b", "target": "openai/a", "reason": "x"}, "name_taken"),
        ({"name": "two words", "target": "openai/a", "reason": "x"}, "invalid_alias"),
        ({"name": "fast", "target": "openai/nobody", "reason": "x"}, "model_not_found"),
        ({"name": "fast", "target": "openai/gone", "reason": "x"}, "model_not_found"),
    ],
)
def test_an_alias_never_stands_before_a_model_nor_for_nothing(alice: Actor, body: dict[str, str], code: str) -> None:
    refused = api_client(alice, EVERY).post("/api/v1/aliases/", body, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (422, code)


@pytest.mark.usefixtures("catalog")
def test_an_alias_of_an_alias_cannot_be_made(alice: Actor) -> None:
    naming.create(alice, name="fast", target="openai/a", reason="Quick")
    body = {"name": "faster", "target": "fast", "reason": "x"}
    assert api_client(alice, EVERY).post("/api/v1/aliases/", body, "application/json").status_code == 422


# ---------------------------------------------------------------- defaults
@pytest.mark.usefixtures("catalog")
def test_defaults_are_read_and_set_through_the_api(alice: Actor, bob: Actor) -> None:
    admin, member = api_client(alice, EVERY), api_client(bob, EVERY)
    assert admin.put("/api/v1/defaults/workspace/chat/", {"model": "openai/a"}, "application/json").status_code == 200
    told = member.put("/api/v1/defaults/chat/", {"model": "openai/b"}, "application/json").json()["results"]
    assert told[0] == {
        "context": "chat",
        "own": "openai/b",
        "workspace": "openai/a",
        "installation": "",
        "answers": "openai/b",
        "level": "user",
        "otherwise": "openai/a",
    }
    assert member.put("/api/v1/defaults/workspace/chat/", {"model": "openai/b"}, "application/json").status_code == 403
    assert member.put("/api/v1/defaults/dreams/", {"model": "openai/b"}, "application/json").status_code == 422
