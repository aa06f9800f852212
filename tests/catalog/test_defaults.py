"""Which model answers by default, for whom, and who may say so."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.policies import Actor
from accounts.problems import Problem
from catalog import defaults
from catalog.facts import facts_for
from catalog.models import ContextDefault, LanguageModel, ProviderSync
from catalog.routing import RoutingRequest, plan
from providers import credentials
from tests.catalog.worlds import model, store

KEY = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(settings: Any) -> None:
    settings.PROVIDER_KEYS = {"openai": KEY, "gemini": KEY}
    store(model("openai/a"), model("openai/gpt-6-luna"), model("gemini/gemini-3.8-flash"), model("gemini/z"))
    read("openai")
    read("gemini")


def read(provider_id: str, error: str = "") -> None:
    """Its list was read, or tried."""
    ProviderSync.objects.update_or_create(
        provider_id=provider_id, defaults={"finished_at": timezone.now(), "error_code": error}
    )


def answers(actor: Actor, context: str = "chat") -> str:
    (attempt,) = plan(RoutingRequest(context), facts_for(actor)).attempts
    return f"{attempt.provider_id}/{attempt.model_id}"


def installed() -> dict[str, str]:
    rows = ContextDefault.objects.filter(workspace__isnull=True).select_related("model")
    return {row.context: row.model.key for row in rows}


@pytest.mark.usefixtures("connected")
def test_after_a_sync_every_context_has_a_default_from_the_preference_list() -> None:
    defaults.ensure_installation()
    balanced = "gemini/gemini-3.8-flash"
    assert installed() == {"chat": balanced, "structured": balanced, "doc": balanced, "summary": "openai/gpt-6-luna"}


@pytest.mark.parametrize("error", ["", "provider_unavailable"])
def test_the_provider_that_lists_first_is_not_the_default_for_that(settings: Any, error: str) -> None:
    settings.PROVIDER_KEYS = {"openai": KEY, "gemini": KEY}
    store(model("gemini/z"))
    read("gemini")
    defaults.ensure_installation()
    assert installed() == {}
    if not error:
        store(model("openai/a"))
    read("openai", error)
    defaults.ensure_installation()
    assert installed()["chat"] == ("gemini/z" if error else "openai/a")


@pytest.mark.usefixtures("connected")
def test_a_default_that_answers_is_left_alone() -> None:
    ContextDefault.objects.create(context="chat", model=LanguageModel.objects.get(model_id="z"))
    defaults.ensure_installation()
    assert installed()["chat"] == "gemini/z"


@pytest.mark.usefixtures("connected")
def test_a_default_that_cannot_answer_any_more_gives_way(settings: Any) -> None:
    defaults.ensure_installation()
    settings.PROVIDER_KEYS = {"openai": KEY}
    defaults.ensure_installation()
    assert installed()["chat"] == "openai/a"


@pytest.mark.usefixtures("connected")
def test_a_default_whose_model_has_vanished_is_not_remapped(alice: Actor) -> None:
    defaults.ensure_installation()
    LanguageModel.objects.filter(model_id="gemini-3.8-flash").update(lifecycle="vanished")
    defaults.ensure_installation()
    assert installed()["chat"] == "gemini/gemini-3.8-flash"
    told = plan(RoutingRequest("chat"), facts_for(alice))
    assert told.trace["candidates"][0] == {
        "model": "gemini/gemini-3.8-flash",
        "why": "installation",
        "verdict": "vanished",
    }
    assert told.attempts[0].reason == "preference"


def test_what_only_a_member_s_key_reaches_is_nobody_else_s_default(bob: Actor) -> None:
    credentials.save(bob, provider_id="openai", secret=KEY, shared=False)
    store(model("openai/a", shared=False))
    defaults.ensure_installation()
    assert installed() == {}
    assert answers(bob) == "openai/a"


@pytest.mark.usefixtures("connected")
def test_a_person_s_default_is_theirs_and_the_workspace_s_everybody_s_in_it(
    alice: Actor, bob: Actor, charlie: Actor
) -> None:
    defaults.ensure_installation()
    defaults.set_workspace(alice, "chat", "openai/a")
    defaults.set_own(bob, "chat", "gemini/z")
    assert (answers(alice), answers(bob), answers(charlie)) == ("openai/a", "gemini/z", "gemini/gemini-3.8-flash")
    assert defaults.get(bob, "chat") == {
        "user": "gemini/z",
        "workspace": "openai/a",
        "installation": "gemini/gemini-3.8-flash",
    }
    defaults.set_own(bob, "chat", "")
    assert answers(bob) == "openai/a"


@pytest.mark.usefixtures("connected")
def test_setting_again_replaces(alice: Actor) -> None:
    for key in ("openai/a", "gemini/z"):
        defaults.set_own(alice, "chat", key)
        defaults.set_workspace(alice, "chat", key)
    assert ContextDefault.objects.count() == 2
    assert answers(alice) == "gemini/z"


@pytest.mark.usefixtures("connected")
def test_a_member_sets_no_default_for_the_workspace(bob: Actor) -> None:
    with pytest.raises(Problem) as refused:
        defaults.set_workspace(bob, "chat", "openai/a")
    assert refused.value.status == 403


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("context", "key", "code"),
    [("chat", "openai/unheard-of", "model_not_found"), ("nonsense", "openai/a", "unknown_context")],
)
def test_a_default_must_be_there(alice: Actor, context: str, key: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        defaults.set_own(alice, context, key)
    assert (refused.value.status, refused.value.code) == (422, code)


def test_a_model_that_others_keys_list_cannot_be_named(alice: Actor, charlie: Actor) -> None:
    credentials.save(charlie, provider_id="openai", secret=KEY, shared=True)
    store(model("openai/of-charlie", shared=False))
    with pytest.raises(Problem):
        defaults.set_own(alice, "chat", "openai/of-charlie")
    defaults.set_own(charlie, "chat", "openai/of-charlie")
