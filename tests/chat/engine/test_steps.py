"""Stories of answers that take several steps: calls, their results, and the next request to the same model."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from asgiref.sync import async_to_sync
from django.template.loader import render_to_string

from accounts.policies import Actor
from catalog.models import FallbackStep, LanguageModel
from chat import native, runs, steps
from chat.audit_streams import faults
from chat.history import branch_for, messages_of
from chat.models import Message, Run
from chat.protocol import Command, Entry, fold
from chat.render.names import by_of
from providers import tries
from providers.contract import TextPart, ToolCallPart, ToolResultPart
from tests.chat.engine.rows import make_run, read_all
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = [
    "openai/gpt-sandbox",
    "anthropic/claude-sandbox-opus",
    "gemini/gemini-sandbox-pro",
    "mistral/mistral-sandbox-large",
    "openai_compatible/compatible-sandbox",
]
BOTH = 'Use the clock for "Europe/Oslo" and for "Asia/Tokyo"'
ONE_BY_ONE = 'Use the clock for "Europe/Oslo", then for "Asia/Tokyo"'


@pytest.fixture(autouse=True)
def able(running: Sandbox) -> None:
    """Every model of the sandbox takes tools, whatever its vendor's list says."""
    LanguageModel.objects.update(supports_tools=True)


def ended(actor: Actor, text: str, model: str = MODELS[0], **more: Any) -> tuple[Run, list[Entry]]:
    run = runs.start(actor, Command(text=text, model=model, **more))
    entries = async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    assert list(faults()) == []
    return run, entries


def kinds(run: Run) -> list[str]:
    return [part["type"] for part in Message.objects.get(pk=run.stream_id).parts]


def calls(run: Run) -> list[dict[str, Any]]:
    return [part for part in Message.objects.get(pk=run.stream_id).parts if part["type"] == "tool_call"]


def without_thoughts(run: Run) -> list[str]:
    return [kind for kind in kinds(run) if kind != "reasoning"]


@pytest.mark.parametrize("model", MODELS)
def test_two_calls_at_once_are_answered_in_a_second_step(running: Sandbox, alice: Actor, model: str) -> None:
    run, entries = ended(alice, BOTH, model)
    assert run.state == Run.State.DONE, run.error
    assert without_thoughts(run) == ["text", "tool_call", "tool_call", "text"]
    oslo, tokyo = calls(run)
    assert oslo["id"] != tokyo["id"]
    assert "(Europe/Oslo)" in oslo["result"]
    assert "(Asia/Tokyo)" in tokyo["result"]
    assert {"is_error", "ms"} & oslo.keys() == {"ms"}
    assert oslo["result"] in Message.objects.get(pk=run.stream_id).text
    assert [(line["step"], line["state"], line["outcome"]) for line in run.trace["attempts"]] == [
        (1, "attempt", "answered"),
        (2, "attempt", "answered"),
    ]
    assert [entry.data for entry in entries if entry.data.get("state") == "step"] == [{"state": "step", "step": 2}]


@pytest.mark.parametrize("model", [*MODELS, "openai/gpt-sandbox-reasoning", "mistral/magistral-sandbox"])
def test_calls_one_after_the_other_take_a_step_each(running: Sandbox, alice: Actor, model: str) -> None:
    run, entries = ended(alice, ONE_BY_ONE, model)
    assert run.state == Run.State.DONE, run.error
    assert without_thoughts(run) == ["text", "tool_call", "text", "tool_call", "text"]
    assert [line["step"] for line in run.trace["attempts"]] == [1, 2, 3]
    kept = native.load(Message.objects.get(pk=run.stream_id).native)
    assert [message.role for message in kept] == ["assistant", "tool", "assistant", "tool", "assistant"]
    called = [part.call_id for message in kept for part in message.parts if isinstance(part, ToolCallPart)]
    given = [part.call_id for message in kept for part in message.parts if isinstance(part, ToolResultPart)]
    assert len(set(called)) == 2
    assert called == given
    lengths = [len(fold(entries[:length])) for length in range(1, len(entries) + 1)]
    assert lengths == sorted(lengths)


def test_the_usage_is_that_of_all_steps(running: Sandbox, alice: Actor) -> None:
    run, entries = ended(alice, ONE_BY_ONE)
    asked = [request for request in running.requests() if "Europe/Oslo" in str(request["body"])][-3:]
    assert len(asked) == 3
    words = sum(len(entry.data.get("delta", "")) for entry in entries if entry.event_type == "content_delta")
    assert run.usage["output_tokens"] > words / 6
    assert run.usage["input_tokens"] > sum(len(str(request["body"]["input"])) for request in asked) / 16
    assert entries[-1].data["usage"] == run.usage


def test_any_model_goes_on_after_the_calls_of_any_other(running: Sandbox, alice: Actor) -> None:
    conversation_id = None
    for model in [*MODELS, MODELS[0], MODELS[2], MODELS[1]]:
        run, _ = ended(alice, BOTH, model, conversation_id=conversation_id)
        assert (run.state, len(calls(run))) == (Run.State.DONE, 2), run.error
        conversation_id = run.conversation_id
        assert Message.objects.get(pk=run.stream_id).text.count("answered:") == 2


@pytest.mark.parametrize("model", MODELS)
def test_an_answer_that_was_cut_behind_its_calls_is_continued_with_them(
    running: Sandbox, alice: Actor, model: str
) -> None:
    cut = make_run(alice, state=Run.State.INTERRUPTED)
    call = {"type": "tool_call", "id": "call_1", "name": "clock", "args": "{}"}
    said = [{"type": "text", "text": "I look."}, call | {"result": "noon"}, call | {"id": "call_2"}]
    Message.objects.filter(pk=cut.answer_id).update(parts=said)
    more, _ = ended(alice, "", model, continues=cut.answer_id, conversation_id=cut.conversation_id)
    assert more.state == Run.State.DONE, more.error
    shown = messages_of(branch_for(Run.objects.select_related("answer__parent").get(pk=more.pk)), {})
    assert [message.role for message in shown] == ["user", "assistant", "tool", "user"]
    assert [type(part) for part in shown[1].parts] == [TextPart, ToolCallPart]
    again, _ = ended(alice, "", model, answer_to=cut.answer.parent_id, conversation_id=cut.conversation_id)
    assert again.state == Run.State.DONE, again.error


def test_a_zone_that_does_not_exist_is_a_result_that_says_so(running: Sandbox, alice: Actor) -> None:
    run, _ = ended(alice, 'Use the clock for "Middle/Earth"')
    assert run.state == Run.State.DONE
    (call,) = calls(run)
    assert call["is_error"] is True
    assert call["result"] == "There is no time zone Middle/Earth. Use an IANA name such as Europe/Oslo."


def test_after_the_last_step_nothing_may_be_called(
    running: Sandbox, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "MOST_STEPS", 1)
    run, _ = ended(alice, ONE_BY_ONE)
    assert (run.state, run.finish_reason, len(calls(run))) == (Run.State.DONE, "stop", 1)
    assert running.requests()[-1]["body"]["tool_choice"] == "none"


def test_more_calls_than_are_allowed_are_refused_in_words(
    running: Sandbox, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "MOST_CALLS", 1)
    run, _ = ended(alice, BOTH)
    first, second = calls(run)
    assert "is_error" not in first
    assert (second["is_error"], second["result"]) == (True, steps.ENOUGH)
    assert run.state == Run.State.DONE


def test_a_model_that_takes_no_tools_gets_none_and_it_is_said(running: Sandbox, alice: Actor) -> None:
    """Nobody chose the usual ones, so they exclude no model."""
    LanguageModel.objects.filter(model_id="gpt-sandbox").update(supports_tools=None)
    run, entries = ended(alice, BOTH)
    assert kinds(run) == ["text"]
    assert "tools" not in running.requests()[-1]["body"]
    told = [entry.data for entry in entries if entry.data.get("state") == "tools_off"]
    assert told == [{"state": "tools_off", "model": "openai/gpt-sandbox"}]
    assert by_of(run, {}).toolless
    assert "no tools" in render_to_string("chat/by.html", {"by": by_of(run, {})})


def test_tools_that_somebody_chose_need_a_model_that_takes_them(running: Sandbox, alice: Actor) -> None:
    LanguageModel.objects.filter(model_id="gpt-sandbox").update(supports_tools=None)
    run, _ = ended(alice, BOTH, tools=("clock",))
    assert (run.state, run.trace["candidates"][-1]["verdict"]) == (Run.State.FAILED, "lacks_tools")
    assert "not known to support tools" in run.error["message"]
    none_chosen, _ = ended(alice, BOTH, tools=())
    assert (none_chosen.state, "tools_off" in none_chosen.trace) == (Run.State.DONE, False)


@pytest.fixture
def failing_once(running: Sandbox, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """OpenAI fails as often as it is tried for one request; Gemini stands behind it."""
    monkeypatch.setattr(tries, "MOST_RETRIES", 0)
    model = LanguageModel.objects.get(model_id="gemini-sandbox-flash")
    FallbackStep.objects.create(workspace_id=alice.workspace_id, context="chat", order=0, model=model)
    faulty = f"{running.url}/_sandbox/faults"
    httpx2.delete(faulty).raise_for_status()
    httpx2.post(faulty, json={"provider": "openai", "fault": "server_error", "count": 1}).raise_for_status()
    yield
    httpx2.delete(faulty).raise_for_status()


@pytest.mark.usefixtures("failing_once")
def test_every_step_goes_where_the_first_was_served(alice: Actor) -> None:
    run, _ = ended(alice, BOTH)
    assert (run.state, run.served_model) == (Run.State.DONE, "gemini/gemini-sandbox-flash")
    tried = [(line["step"], line["state"], line["provider_id"]) for line in run.trace["attempts"]]
    assert tried == [(1, "attempt", "openai"), (1, "fallback", "gemini"), (2, "attempt", "gemini")]


@pytest.mark.usefixtures("failing_once")
def test_a_fallback_that_is_not_known_to_take_tools_gets_none(running: Sandbox, alice: Actor) -> None:
    LanguageModel.objects.filter(model_id="gemini-sandbox-flash").update(supports_tools=None)
    run, _ = ended(alice, BOTH)
    assert (run.served_model, kinds(run)) == ("gemini/gemini-sandbox-flash", ["text"])
    assert "tools" not in running.requests()[-1]["body"]
