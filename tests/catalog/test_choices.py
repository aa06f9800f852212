"""What the model picker offers, to whom, and the catalog API that says the same to programs."""

from typing import Any

import pytest
from django.test import Client

from accounts.policies import Actor
from catalog import defaults, snapshot
from catalog.api.models import MOST_CASES
from catalog.choices import Group, Option, picker, size
from catalog.models import LanguageModel, Rule
from providers import credentials, health
from providers.models import Credential
from tests.catalog.worlds import model, store
from tests.providers.people import api_client

KEY = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"
LIST = "/api/v1/models/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog() -> None:
    store(
        model(
            "openai/gpt-6.2-sol", label="GPT Sol", context_window=400_000, supports_tools=True, supports_vision=False
        ),
        model("openai/old", label="Old", lifecycle="vanished"),
        model("gemini/g", label="Gemini G", supports_reasoning=True),
    )


def groups(actor: Actor, current: str = "") -> dict[str, Group]:
    return {group.provider_id: group for group in picker(actor, current)}


def keep(actor: Actor, *, shared: bool = False, provider_id: str = "openai") -> None:
    credentials.save(actor, provider_id=provider_id, secret=KEY, shared=shared)


@pytest.mark.usefixtures("catalog")
def test_a_model_says_what_it_can_do_and_whether_it_is_the_default(alice: Actor) -> None:
    keep(alice)
    Credential.objects.update(state="working")
    defaults.set_own(alice, "chat", "openai/gpt-6.2-sol")
    group = groups(alice, "openai/gpt-6.2-sol")["openai"]
    assert (group.label, group.letter, group.credential) == ("OpenAI", "O", "Your key …4f2a")
    assert (group.health_state, group.health_text, group.ready) == ("ok", "Operational", True)
    assert group.options == (
        Option(
            key="openai/gpt-6.2-sol",
            model_id="gpt-6.2-sol",
            label="GPT Sol",
            abilities=("tools",),
            context="400k",
            badges=("Chat default",),
            disabled_reason="",
            current=True,
            sandbox=False,
        ),
    )


@pytest.mark.usefixtures("catalog")
def test_a_provider_without_a_key_is_shown_with_the_reason(alice: Actor) -> None:
    group = groups(alice)["gemini"]
    assert (group.health_state, group.health_text, group.credential) == ("unknown", "Not connected", "")
    assert [(one.key, one.disabled_reason) for one in group.options] == [("gemini/g", "No key")]
    assert not group.ready


@pytest.mark.usefixtures("catalog")
def test_a_vanished_model_is_offered_only_where_it_is_still_chosen(alice: Actor) -> None:
    keep(alice)
    assert "openai/old" not in [one.key for one in groups(alice)["openai"].options]
    kept = [one for one in groups(alice, "openai/old")["openai"].options if one.current]
    assert [(one.key, one.disabled_reason) for one in kept] == [("openai/old", "No longer listed")]


@pytest.mark.usefixtures("catalog")
def test_whose_key_answers_is_said(alice: Actor, bob: Actor, settings: Any) -> None:
    settings.PROVIDER_KEYS = {"openai": KEY}
    assert groups(bob)["openai"].credential == "Installation key"
    keep(alice, shared=True)
    assert groups(bob)["openai"].credential == "Workspace key"


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize(("state", "text"), [("refused", "Key refused"), ("unreachable", "Not responding")])
def test_a_key_that_failed_its_check_shows_before_it_is_used(alice: Actor, state: str, text: str) -> None:
    keep(alice)
    Credential.objects.update(state=state)
    assert (groups(alice)["openai"].health_state, groups(alice)["openai"].health_text) == ("down", text)


@pytest.mark.usefixtures("catalog")
def test_a_provider_that_does_not_respond_is_not_called_operational(alice: Actor) -> None:
    keep(alice)
    Credential.objects.update(state="working")
    health.record_check("openai", "timeout", 30_000)
    assert groups(alice)["openai"].health_text == "Not responding"


def test_what_only_somebody_else_s_key_lists_is_not_shown(alice: Actor, charlie: Actor) -> None:
    keep(charlie, shared=True)
    store(model("openai/of-charlie", shared=False))
    assert groups(alice)["openai"].options == ()
    assert api_client(alice).get(LIST).json() == {"results": [], "aliases": []}
    assert [one.key for one in groups(charlie)["openai"].options] == ["openai/of-charlie"]


def test_sandbox_models_are_there_while_the_sandbox_is(alice: Actor, settings: Any) -> None:
    store(model("openai/gpt-sandbox", sandbox=True))
    assert groups(alice)["openai"].options == ()
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    group = groups(alice)["openai"]
    assert (group.health_text, group.credential, group.options[0].sandbox) == ("Sandbox", "Sandbox", True)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [(None, ""), (0, ""), (512, "512"), (8_192, "8k"), (400_000, "400k"), (1_048_576, "1M"), (1_500_000, "1.5M")],
)
def test_a_context_window_reads_as_people_say_it(tokens: int | None, said: str) -> None:
    assert size(tokens) == said


# ---------------------------------------------------------------- the API
@pytest.mark.usefixtures("catalog")
def test_the_api_says_what_a_request_would_do(alice: Actor) -> None:
    keep(alice)
    defaults.set_own(alice, "chat", "openai/gpt-6.2-sol")
    found = {one["key"]: one for one in api_client(alice).get(LIST).json()["results"]}
    sol, old, gemini = found["openai/gpt-6.2-sol"], found["openai/old"], found["gemini/g"]
    assert (sol["provider_id"], sol["model_id"], sol["label"]) == ("openai", "gpt-6.2-sol", "GPT Sol")
    assert (sol["supports_tools"], sol["supports_vision"], sol["supports_structured"]) == (True, False, None)
    assert (sol["supports_streaming"], sol["context_window"], sol["reasoning_tier"]) == (True, 400_000, "")
    assert (sol["is_default"], sol["available"], sol["credential_source"]) == (["chat"], True, "own")
    assert (old["available"], old["reason"], old["credential_source"]) == (False, "vanished", "")
    assert (gemini["available"], gemini["reason"]) == (False, "no_credential")


@pytest.mark.usefixtures("catalog")
def test_what_is_kept_for_one_person_is_nobody_elses(alice: Actor, bob: Actor) -> None:
    """Who is in the same case shares the text; a key, a default, a rule or a change makes another case."""

    def told(actor: Actor, key: str = "openai/gpt-6.2-sol") -> tuple[Any, ...]:
        one = next(row for row in api_client(actor).get(LIST).json()["results"] if row["key"] == key)
        return one["available"], one["reason"], one["credential_source"], one["is_default"], one["label"]

    keep(alice)
    for _ in range(2):
        assert told(alice) == (True, "", "own", [], "GPT Sol")
        assert told(bob) == (False, "no_credential", "", [], "GPT Sol")
    kept = snapshot.current().written
    assert len(kept) == 2
    keep(bob)
    assert told(bob) == (True, "", "own", [], "GPT Sol")
    assert len(kept) == 2, "bob is in alice's case now"
    defaults.set_own(alice, "chat", "openai/gpt-6.2-sol")
    assert (told(alice)[3], told(bob)[3]) == (["chat"], [])
    Rule.objects.create(workspace_id=alice.workspace_id, effect="deny", model_pattern="gpt*", role="member")
    assert (told(alice)[1], told(bob)[1]) == ("", "policy_denied")
    row = LanguageModel.objects.get(model_id="gpt-6.2-sol")
    row.label = "Sun"
    row.save()
    assert (told(alice)[4], told(bob)[4]) == ("Sun", "Sun")
    for number in range(MOST_CASES + 3):
        defaults.set_own(alice, "chat", ("openai/gpt-6.2-sol", "gemini/g")[number % 2])
        told(alice)
    assert len(snapshot.current().written) <= MOST_CASES


def test_the_api_needs_the_scope(alice: Actor) -> None:
    assert api_client(alice, ("chat",)).get(LIST).status_code == 403
    assert Client().get(LIST).status_code == 401


def test_the_cost_does_not_grow_with_the_catalog(alice: Actor, django_assert_num_queries: Any) -> None:
    keep(alice)
    client = api_client(alice)
    client.get(LIST)
    for count in (1, 300):
        LanguageModel.objects.all().delete()
        store(*(model(f"openai/m{number}") for number in range(count)))
        with django_assert_num_queries(5):  # credentials, version, the models again, own defaults, health
            assert len(picker(alice)[0].options) == count
        with django_assert_num_queries(5):  # token, membership, credentials, version, own defaults
            assert len(client.get(LIST).json()["results"]) == count
