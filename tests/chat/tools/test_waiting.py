"""Tools that the caller executes: the stream says what is awaited, the results are posted, the same stream goes on."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat import runs
from chat.audit_streams import faults
from chat.models import ClientCall, Message, Run
from chat.protocol import Entry
from chat.tools import waiting
from chat.tools.results import RESULT_CHARS
from tests.chat.engine.rows import read_all, stored
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

type Post = Callable[..., Any]

WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
MODELS = [
    "openai/gpt-sandbox",
    "anthropic/claude-sandbox-haiku",
    "gemini/gemini-sandbox-flash",
    "mistral/mistral-sandbox-large",
]


def asked(post: Post, actor: Actor, text: str, model: str = MODELS[0], **more: Any) -> tuple[Run, list[str]]:
    """A run that waits, with the ids of the calls it waits for."""
    body = {"input": text, "model": model, "tools": [WEATHER]} | more
    answer = post(actor, "runs/", body)
    assert answer.status_code == 202, answer.json()
    run = Run.objects.get(pk=answer.json()["id"])
    until = time.monotonic() + 20
    while not (found := [one.data for one in stored(run) if one.data.get("state") == waiting.AWAITING]):
        assert time.monotonic() < until, stored(run)
        time.sleep(0.02)
    return run, list(found[-1]["tool_call_ids"])


def bring(post: Post, actor: Actor, run: Run, *results: dict[str, Any]) -> Any:
    return post(actor, f"runs/{run.pk}/tool-results/", {"results": list(results)})


def given(call_id: str, result: str = "Sunny, 21 °C", **more: Any) -> dict[str, Any]:
    return {"tool_call_id": call_id, "result": result, **more}


def ended(run: Run) -> list[Entry]:
    entries = async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    assert list(faults()) == []
    return entries


@pytest.mark.parametrize("model", MODELS)
def test_posted_results_resume_the_same_stream(able: Sandbox, alice: Actor, post: Post, model: str) -> None:
    run, ids = asked(post, alice, 'Use get_weather for "Oslo" and "Rome"', model)
    assert len(set(ids)) == 2
    before = len(stored(run))
    answer = bring(post, alice, run, *(given(call_id) for call_id in ids))
    assert (answer.status_code, answer.json()["id"]) == (202, str(run.pk))
    entries = ended(run)
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    later = [entry.event_type for entry in entries[before:]]
    assert later[:2] == ["tool_call_result", "tool_call_result"]
    assert run.state == Run.State.DONE, run.error
    assert "Sunny, 21 °C" in Message.objects.get(pk=run.stream_id).text


def test_tools_of_the_server_are_called_meanwhile(able: Sandbox, alice: Actor, post: Post) -> None:
    run, (weather,) = asked(post, alice, "Use clock and get_weather")
    assert len([one for one in stored(run) if one.event_type == "tool_call_start"]) == 2
    bring(post, alice, run, given(weather, "It failed", is_error=True))
    ended(run)
    parts = [part for part in Message.objects.get(pk=run.stream_id).parts if part["type"] == "tool_call"]
    found = {part["name"]: part for part in parts}
    assert (found["get_weather"]["result"], found["get_weather"]["is_error"]) == ("It failed", True)
    assert "(UTC)" in found["clock"]["result"]


def test_results_may_come_one_by_one_and_again_but_not_otherwise(able: Sandbox, alice: Actor, post: Post) -> None:
    run, (oslo, rome) = asked(post, alice, 'Use get_weather for "Oslo" and "Rome"')
    assert bring(post, alice, run, given(oslo)).status_code == 202
    assert bring(post, alice, run, given(oslo)).status_code == 202
    other = bring(post, alice, run, given(rome), given(oslo, "Rain"))
    assert (other.status_code, other.json()["code"], other.json()["tool_call_id"]) == (409, "already_answered", oslo)
    assert ClientCall.objects.get(call_id=rome).answered_at is None
    assert bring(post, alice, run, given(rome)).status_code == 202
    assert ended(run)[-1].event_type == "done"
    assert bring(post, alice, run, given(rome)).status_code == 202
    late = bring(post, alice, run, given("call_nobody_made"))
    assert (late.status_code, late.json()["code"]) == (409, "not_awaited")


def test_nobody_else_brings_results(able: Sandbox, alice: Actor, bob: Actor, charlie: Actor, post: Post) -> None:
    run, (call_id,) = asked(post, alice, "Use get_weather")
    for stranger in (bob, charlie):
        assert bring(post, stranger, run, given(call_id)).status_code == 404
    assert bring(post, alice, run, given(call_id, "x" * (RESULT_CHARS + 1))).status_code == 413
    assert bring(post, alice, run).status_code == 400
    runs.stop(alice, run.stream_id)
    ended(run)


def test_a_run_that_waits_is_stopped(able: Sandbox, alice: Actor, post: Post) -> None:
    run, (call_id,) = asked(post, alice, "Use get_weather")
    runs.stop(alice, run.stream_id)
    entries = ended(run)
    assert (entries[-1].data["reason"], run.state) == ("user_stop", Run.State.STOPPED)
    late = bring(post, alice, run, given(call_id))
    assert (late.status_code, late.json()["code"]) == (409, "not_awaited")


def test_a_client_that_never_answers_ends_the_run(
    able: Sandbox, alice: Actor, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.5)
    run, _ = asked(post, alice, "Use clock and get_weather")
    entries = ended(run)
    assert (entries[-1].event_type, entries[-1].data["code"]) == ("error", "timeout")
    assert entries[-1].data["detail"] == "no_tool_results"
    assert run.state == Run.State.FAILED


def test_a_model_that_is_not_known_to_take_tools_is_refused(able: Sandbox, alice: Actor, post: Post) -> None:
    LanguageModel.objects.filter(model_id="gpt-sandbox").update(supports_tools=None)
    answer = post(alice, "runs/", {"input": "Hello", "model": MODELS[0], "tools": [WEATHER]})
    run = Run.objects.get(pk=answer.json()["id"])
    entries = ended(run)
    assert (entries[-1].data["code"], "not known to support tools" in entries[-1].data["message"]) == (
        "invalid_request",
        True,
    )


def test_a_forced_call_is_forced_once(able: Sandbox, alice: Actor, post: Post) -> None:
    run, (call_id,) = asked(post, alice, "Hello", tool_choice="get_weather")
    bring(post, alice, run, given(call_id))
    assert ended(run)[-1].event_type == "done"
    choices = [request["body"]["tool_choice"] for request in able.requests()[-2:]]
    assert choices == [{"type": "function", "name": "get_weather"}, "auto"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"tools": [WEATHER, WEATHER]}, 422, "invalid_tool"),
        ({"tools": [WEATHER | {"name": "clock"}]}, 422, "invalid_tool"),
        ({"tools": [WEATHER | {"parameters": {"type": "string"}}]}, 422, "invalid_tool"),
        ({"tools": [WEATHER | {"parameters": {"type": "object", "$ref": "http://x/"}}]}, 422, "invalid_tool"),
        ({"tools": [WEATHER | {"name": "get weather"}]}, 400, "invalid_request"),
        ({"tools": [WEATHER | {"name": f"t{number}"} for number in range(65)]}, 413, "too_many_tools"),
        ({"tools": [WEATHER], "tool_choice": "fly"}, 422, "invalid_tool_choice"),
        ({"tool_choice": "required"}, 422, "invalid_tool_choice"),
        ({"server_tools": ["nothing"]}, 422, "tool_not_found"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_before_anything_is_stored(
    alice: Actor, post: Post, body: dict[str, Any], status: int, code: str
) -> None:
    answer = post(alice, "runs/", {"input": "Hello"} | body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert not Run.objects.exists()
