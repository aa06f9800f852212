"""Stories of runs whose provider fails before it says anything: what is tried, who answers, and what is said of it."""

import time
from collections.abc import Iterator
from uuid import UUID

import httpx2
import pytest
from asgiref.sync import async_to_sync

from accounts.policies import Actor
from catalog.models import FallbackStep, LanguageModel
from chat import runs
from chat.audit_streams import faults
from chat.models import Message, Run
from chat.protocol import Command, Entry, fold
from providers import tries
from tests.chat.engine.rows import read_all, stored
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

OPENAI, GEMINI = "openai/gpt-sandbox", "gemini/gemini-sandbox-flash"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(tries, "LONGEST_PAUSE", 0.02)


@pytest.fixture
def failing(running: Sandbox) -> Iterator[Sandbox]:
    """Nothing is armed before or after."""
    control(running, "DELETE")
    yield running
    control(running, "DELETE")


def control(sandbox: Sandbox, method: str, **order: object) -> None:
    httpx2.request(method, f"{sandbox.url}/_sandbox/faults", json=order or None).raise_for_status()


def turn_on(actor: Actor, *keys: str) -> None:
    for order, key in enumerate(keys):
        provider_id, _, model_id = key.partition("/")
        row = LanguageModel.objects.get(provider_id=provider_id, model_id=model_id)
        FallbackStep.objects.create(workspace_id=actor.workspace_id, context="chat", order=order, model=row)


def ended(actor: Actor, text: str = "Hello") -> tuple[Run, list[Entry]]:
    run = runs.start(actor, Command(text=text, model=OPENAI))
    entries = async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    assert list(faults()) == []
    return run, entries


def states(entries: list[Entry]) -> list[str]:
    return [entry.data["state"] for entry in entries if entry.event_type == "status"]


def outcomes(run: Run) -> list[tuple[str, str, str]]:
    return [(one["state"], one["provider_id"], one["outcome"]) for one in run.trace["attempts"]]


def text_of(stream_id: UUID) -> str:
    return Message.objects.get(pk=stream_id).text


@pytest.mark.usefixtures("quick")
def test_two_failures_are_gone_through_and_told(failing: Sandbox, alice: Actor) -> None:
    control(failing, "POST", provider="openai", fault="server_error", count=2)
    run, entries = ended(alice)
    assert (run.state, run.served_model) == (Run.State.DONE, OPENAI)
    assert states(entries)[:3] == ["started", "retry", "retry"]
    told = next(entry.data for entry in entries if entry.data.get("state") == "retry")
    assert (told["attempt"], told["reason"], told["provider_id"]) == (2, "provider_unavailable", "openai")
    assert outcomes(run) == [
        ("attempt", "openai", "provider_unavailable"),
        ("retry", "openai", "provider_unavailable"),
        ("retry", "openai", "answered"),
    ]
    assert all(one["ms"] >= 0 and one["credential_source"] == "sandbox" for one in run.trace["attempts"])


@pytest.mark.usefixtures("quick")
def test_a_fallback_answers_in_its_own_name(failing: Sandbox, alice: Actor) -> None:
    turn_on(alice, GEMINI)
    control(failing, "POST", provider="openai", fault="server_error", count=0)
    run, entries = ended(alice)
    assert (run.state, run.requested_model, run.served_model) == (Run.State.DONE, OPENAI, GEMINI)
    assert (run.credential_source, run.credential_hint) == ("sandbox", "sandbox")
    moved = next(entry.data for entry in entries if entry.data.get("state") == "fallback")
    assert (moved["model"], moved["reason"], moved["credential"]) == (GEMINI, "provider_unavailable", "sandbox")
    assert (entries[-1].data["provider_id"], entries[-1].data["model_id"]) == ("gemini", "gemini-sandbox-flash")
    assert outcomes(run)[-1] == ("fallback", "gemini", "answered")
    assert text_of(run.stream_id)
    assert Message.objects.get(pk=run.stream_id).parts == fold(entries)


@pytest.mark.usefixtures("quick")
def test_without_a_chain_the_failure_is_the_answer(failing: Sandbox, alice: Actor, charlie: Actor) -> None:
    turn_on(charlie, GEMINI)
    control(failing, "POST", provider="openai", fault="server_error", count=0)
    run, entries = ended(alice)
    assert (run.state, run.error["code"], run.served_model) == (Run.State.FAILED, "provider_unavailable", OPENAI)
    assert (run.error["provider_id"], run.error["model_id"]) == ("openai", "gpt-sandbox")
    assert [one[2] for one in outcomes(run)] == ["provider_unavailable"] * 3
    assert "fallback" not in states(entries)


@pytest.mark.usefixtures("quick")
def test_a_fallback_that_fails_too_names_itself(failing: Sandbox, alice: Actor) -> None:
    turn_on(alice, GEMINI)
    control(failing, "POST", provider="any", fault="server_error", count=0)
    run, entries = ended(alice)
    assert (run.state, run.served_model, entries[-1].data["provider_id"]) == (Run.State.FAILED, GEMINI, "gemini")


def test_after_content_the_run_ends_with_what_arrived(failing: Sandbox, alice: Actor) -> None:
    turn_on(alice, GEMINI)
    control(failing, "POST", provider="openai", fault="cut", after=5)
    run, _ = ended(alice, "Count /tokens 40")
    assert (run.state, run.served_model) == (Run.State.FAILED, OPENAI)
    assert text_of(run.stream_id).split() == ["1", "2", "3", "4", "5"]
    assert outcomes(run) == [("attempt", "openai", "provider_unavailable")]


def test_stopping_in_a_pause_ends_the_run_at_once(failing: Sandbox, alice: Actor) -> None:
    control(failing, "POST", provider="openai", fault="rate_limit", seconds=9, count=0)
    run = runs.start(alice, Command(text="Hello", model=OPENAI))
    until = time.monotonic() + 10
    while len(stored(run)) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert stored(run)[-1].data["wait_seconds"] >= 9
    begun = time.monotonic()
    runs.stop(alice, run.stream_id)
    entries = async_to_sync(read_all)(run.stream_id)
    assert time.monotonic() - begun < 2
    run.refresh_from_db()
    assert (entries[-1].data["reason"], run.state) == ("user_stop", Run.State.STOPPED)
    assert outcomes(run) == [("attempt", "openai", "rate_limited"), ("retry", "openai", "stopped")]
