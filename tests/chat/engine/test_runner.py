"""Stories of a run from its command to its end, through the real adapters, over HTTP, to the sandbox."""

import asyncio
import contextvars
import time
from collections.abc import Callable
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.utils import timezone

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat import hub, runner, runs
from chat.audit_streams import faults
from chat.history import branch_for, messages_of
from chat.journal import follow
from chat.models import Message, Run
from chat.protocol import DELTAS, Command, Entry, fold
from providers import tries
from tests.chat.engine.rows import read_all, stored
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

OPENAI, GEMINI = "openai/gpt-sandbox", "gemini/gemini-sandbox-pro"
ANTHROPIC = "anthropic/claude-sandbox-opus"
MISTRAL, THINKER = "mistral/mistral-sandbox-large", "mistral/magistral-sandbox"


def answered(run: Run) -> list[Entry]:
    return async_to_sync(read_all)(run.stream_id)


def text_of(entries: list[Entry]) -> str:
    return "".join(entry.data["delta"] for entry in entries if entry.event_type == "content_delta")


def until(happened: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize("model", [OPENAI, ANTHROPIC, GEMINI, MISTRAL, "openai_compatible/compatible-sandbox"])
def test_an_answer_streams_and_is_stored_with_its_provenance(running: Sandbox, alice: Actor, model: str) -> None:
    run = runs.start(alice, Command(text="What is a lease? /tokens 80", model=model))
    entries = answered(run)
    assert (entries[0].event_type, entries[0].data["state"]) == ("status", "started")
    assert entries[-1].event_type == "done", entries[-1]
    assert len(entries) > 5, "it came in several batches"
    run.refresh_from_db()
    assert (run.state, run.served_model, run.credential_source) == (Run.State.DONE, model, "sandbox")
    assert run.usage["output_tokens"] > 0
    assert run.first_content_at is not None
    answer = Message.objects.get(pk=run.stream_id)
    assert answer.parts == fold(entries)
    assert text_of(entries)
    assert list(faults()) == []


@pytest.mark.parametrize("model", ["openai/gpt-sandbox-reasoning", ANTHROPIC, GEMINI, THINKER])
def test_reasoning_never_enters_the_content(running: Sandbox, alice: Actor, model: str) -> None:
    run = runs.start(alice, Command(text="Think about it", model=model))
    entries = answered(run)
    kinds = [part["type"] for part in fold(entries)]
    assert kinds == ["reasoning", "text"]
    reasoning = "".join(entry.data["delta"] for entry in entries if entry.event_type == "reasoning_delta")
    assert reasoning
    assert reasoning not in text_of(entries)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (OPENAI, GEMINI),
        (GEMINI, OPENAI),
        (OPENAI, OPENAI),
        (OPENAI, ANTHROPIC),
        (ANTHROPIC, GEMINI),
        (ANTHROPIC, ANTHROPIC),
        (GEMINI, MISTRAL),
        (THINKER, OPENAI),
        (THINKER, THINKER),
    ],
)
def test_a_conversation_goes_on_with_another_model(running: Sandbox, alice: Actor, first: str, second: str) -> None:
    one = runs.start(alice, Command(text="Remember the word fjord /tokens 60", model=first))
    answered(one)
    two = runs.start(alice, Command(text="And now?", conversation_id=one.conversation_id, model=second))
    entries = answered(two)
    assert entries[-1].event_type == "done", entries[-1]
    two.refresh_from_db()
    assert two.served_model == second
    body = running.requests()[-1]["body"]
    assert "fjord" in str(body)


def test_stop_keeps_what_was_received(running: Sandbox, alice: Actor) -> None:
    run = runs.start(alice, Command(text="A long story /slow 40 /tokens 2000", model=OPENAI))
    until(lambda: len(stored(run)) > 3)
    asked = time.time()
    runs.stop(alice, run.stream_id)
    entries = answered(run)
    assert (entries[-1].event_type, entries[-1].data["reason"]) == ("done", "user_stop")
    run.refresh_from_db()
    assert run.state == Run.State.STOPPED
    assert Message.objects.get(pk=run.stream_id).parts == fold(entries)
    until(lambda: running.requests()[-1]["outcome"] == "client_closed")
    assert running.requests()[-1]["ended_at"] - asked < 1.0


def test_a_stop_that_only_the_database_knows_is_heard(running: Sandbox, alice: Actor) -> None:
    run = runs.start(alice, Command(text="A long story /slow 40 /tokens 2000", model=OPENAI))
    until(lambda: len(stored(run)) > 3)
    Run.objects.filter(pk=run.pk).update(stop_requested_at="2026-01-01T00:00Z")
    assert answered(run)[-1].data["reason"] == "user_stop"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("bad_key", "invalid_auth"),
        ("rate_limit", "rate_limited"),
        ("quota", "quota_exceeded"),
        ("not_found", "model_not_found"),
        ("server_error", "provider_unavailable"),
        ("cut after 5", "provider_unavailable"),
        ("truncate after 5", "provider_unavailable"),
        ("stream_error after 5", "provider_unavailable"),
    ],
)
@pytest.mark.parametrize("model", [OPENAI, ANTHROPIC, GEMINI, MISTRAL])
def test_a_failure_ends_the_run_with_its_code_and_keeps_the_text(
    running: Sandbox, alice: Actor, monkeypatch: pytest.MonkeyPatch, model: str, fault: str, code: str
) -> None:
    monkeypatch.setattr(tries, "MOST_RETRIES", 0)  # what is tried again is another story
    run = runs.start(alice, Command(text=f"Hello /fault {fault}", model=model))
    entries = answered(run)
    assert (entries[-1].event_type, entries[-1].data["code"]) == ("error", code)
    run.refresh_from_db()
    assert (run.state, run.error["code"]) == (Run.State.FAILED, code)
    assert any(entry.event_type in DELTAS for entry in entries) == ("after" in fault)
    assert Message.objects.get(pk=run.stream_id).parts == fold(entries)


def test_a_model_without_a_key_fails_with_the_remedy_and_keeps_the_message(running: Sandbox, alice: Actor) -> None:
    LanguageModel.objects.create(
        provider_id="openai", model_id="real", label="Real", shared=True, last_seen_at=timezone.now()
    )
    run = runs.start(alice, Command(text="Hello", model="openai/real"))
    entries = answered(run)
    assert (entries[-1].event_type, entries[-1].data["code"]) == ("error", "missing_auth")
    assert entries[-1].data["action"] == "add_key"
    assert Message.objects.filter(role="user").get().text == "Hello"


def test_an_interrupted_answer_is_continued_from_its_text(running: Sandbox, alice: Actor) -> None:
    run = runs.start(alice, Command(text="A story /fault cut after 8", model=OPENAI))
    begun = text_of(answered(run))
    more = runs.start(alice, Command(continues=run.answer_id, conversation_id=run.conversation_id))
    shown = messages_of(branch_for(Run.objects.select_related("answer__parent").get(pk=more.pk)), {})
    assert [message.role for message in shown] == ["user", "assistant", "user"]
    assert shown[1].parts[0].text == begun  # type: ignore[attr-defined]
    assert answered(more)[-1].event_type == "done"


def test_a_run_started_from_an_event_loop_survives_that_loop(running: Sandbox, alice: Actor) -> None:
    async def door() -> UUID:
        run = await asyncio.to_thread(start_and_close)
        return run.stream_id

    def start_and_close() -> Run:
        try:
            return runs.start(alice, Command(text="Hello /tokens 60", model=OPENAI))
        finally:
            connection.close()

    stream_id = contextvars.copy_context().run(asyncio.run, door())
    entries = async_to_sync(read_all)(stream_id)
    assert entries[-1].event_type == "done"


def test_draining_interrupts_cleanly_what_does_not_finish(running: Sandbox, alice: Actor) -> None:
    run = runs.start(alice, Command(text="A long story /slow 40 /tokens 2000", model=OPENAI))
    until(lambda: len(stored(run)) > 3)
    runner.drain(0.2)
    run.refresh_from_db()
    assert (run.state, run.error["code"]) == (Run.State.INTERRUPTED, "interrupted")
    assert list(faults()) == []


def test_many_viewers_leave_nothing_behind(running: Sandbox, alice: Actor) -> None:
    run = runs.start(alice, Command(text="Hello /tokens 120", model=OPENAI))

    async def leave_early() -> None:
        async for _ in follow(run.stream_id):
            return

    async def crowd() -> list[list[Entry]]:
        leaving = [leave_early() for _ in range(10)]
        staying = [read_all(run.stream_id) for _ in range(10)]
        return list(await asyncio.gather(*staying, *leaving))[:10]  # type: ignore[arg-type]

    seen = async_to_sync(crowd)()
    assert all(entries == seen[0] for entries in seen)
    assert hub.readers() == 0
