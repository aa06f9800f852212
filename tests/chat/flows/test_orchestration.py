"""Orchestration: a model delegates to the workspace's specialists, each with a run and a model of its own."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.policies import Actor
from accounts.problems import Problem
from catalog import policies
from catalog.models import ContextDefault, LanguageModel, Rule
from catalog.policies import Decision
from chat import conversations, runs
from chat.audit_streams import faults
from chat.flows import orchestration
from chat.models import Run, Specialist
from chat.protocol import Command, Entry, fold
from providers.contract import ToolSpec
from tests.chat.doors.conftest import bearer
from tests.chat.engine.rows import read_all, stored
from tests.chat.flows.teams import ASK, team
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def ask(actor: Actor, text: str = ASK, **more: Any) -> tuple[Run, list[Entry]]:
    run = runs.start(actor, Command(text=text, context="orchestration", **more))
    entries = async_to_sync(read_all)(run.stream_id, seconds=60)
    run.refresh_from_db()
    return run, entries


def until(happened: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def writing(run: Run) -> int:
    """How many specialists have begun to write."""
    return sum(any(one.event_type == "content_delta" for one in stored(child)) for child in run.children.all())


def delegated(entries: list[Entry]) -> dict[str, Any]:
    """By specialist, what the journal said when the task began."""
    return {one.data["specialist"]: one.data for one in entries if one.data.get("state") == "delegated"}


@pytest.mark.parametrize(
    "model",
    [
        "openai/gpt-sandbox",
        "anthropic/claude-sandbox-haiku",
        "gemini/gemini-sandbox-flash",
        "mistral/mistral-sandbox-small",
    ],
)
def test_specialists_work_at_once_each_with_its_own_model(running: Sandbox, alice: Actor, model: str) -> None:
    team(alice)
    run, entries = ask(alice, model=model)
    assert (run.context, run.state, run.served_model) == ("orchestration", Run.State.DONE, model), run.error
    told = delegated(entries)
    children = {child.input["specialist"]: child for child in run.children.all()}
    assert set(told) == set(children) == {"Researcher", "Writer", "Reviewer"}
    assert {name: child.served_model for name, child in children.items()} == {
        "Researcher": "gemini/gemini-sandbox-flash",
        "Writer": "anthropic/claude-sandbox-haiku",
        "Reviewer": "openai/gpt-sandbox",
    }
    for name, child in children.items():
        assert told[name]["model"] == child.served_model
        assert (told[name]["run"], told[name]["stream_id"]) == (str(child.pk), str(child.stream_id))
        assert (child.state, child.credential_source, child.context) == (Run.State.DONE, "sandbox", "orchestration")
        assert child.trace["candidates"][0]["verdict"] == "chosen"
        assert child.usage["output_tokens"] > 0
        assert child.input["task"].startswith("Ask the specialists")
        assert fold(stored(child)) == child.output["parts"]
    begun = [child.started_at for child in children.values() if child.started_at]
    ended = [child.ended_at for child in children.values() if child.ended_at]
    assert max(begun) < min(ended), "all at once"
    answer = fold(entries)
    results = [part for part in answer if part["type"] == "tool_call"]
    assert len(results) == 3
    assert not any(part.get("is_error") for part in results)
    own, total = run.usage["output_tokens"], run.usage_total["output_tokens"]
    assert total == own + sum(child.usage["output_tokens"] for child in children.values())
    assert list(faults()) == []


def test_a_specialist_sees_its_task_and_instructions_and_nothing_else(running: Sandbox, alice: Actor) -> None:
    team(alice)
    ask(alice, 'Ask the specialists "the fjord"')
    body = next(each["body"] for each in reversed(running.requests()) if each["provider"] == "anthropic")
    assert "finished text" not in str(body), "the description is for the orchestrator"
    assert "nothing else: no preface" in str(body["system"])
    assert str(body["messages"]).count("fjord") == 1
    assert "delegate_" not in str(body), "and it cannot delegate itself"


def test_a_specialist_that_fails_fails_its_task_alone(running: Sandbox, alice: Actor) -> None:
    gone = LanguageModel.objects.get(model_id="claude-sandbox-haiku")
    LanguageModel.objects.filter(pk=gone.pk).update(lifecycle="vanished")
    team(alice)
    run, entries = ask(alice)
    assert run.state == Run.State.DONE
    failed = [part for part in fold(entries) if part.get("is_error")]
    assert [part["name"] for part in failed] == ["delegate_writer"]
    assert failed[0]["result"].startswith("Writer failed (model_not_found): ")
    child = run.children.get(input__specialist="Writer")
    assert (child.state, child.error["code"]) == (Run.State.FAILED, "model_not_found")
    assert list(faults()) == []


def test_a_denied_model_is_asked_nothing(running: Sandbox, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    team(alice)

    def decide(actor: Actor, rules: Sequence[Rule], target: policies.Target) -> Decision:
        assert target.context == "orchestration"
        return Decision(target.provider_id != "anthropic", "a rule", "A rule of this workspace blocks it.")

    monkeypatch.setattr(policies, "decide", decide)
    before = [each for each in running.requests() if each["provider"] == "anthropic"]
    run, entries = ask(alice)
    failed = [part for part in fold(entries) if part.get("is_error")]
    assert [part["name"] for part in failed] == ["delegate_writer"]
    assert "(policy_denied)" in failed[0]["result"]
    assert [each for each in running.requests() if each["provider"] == "anthropic"] == before
    assert run.state == Run.State.DONE


def test_stopping_stops_all(running: Sandbox, alice: Actor) -> None:
    team(alice)
    run = runs.start(alice, Command(text=ASK, context="orchestration", model="openai/gpt-sandbox"))
    until(lambda: run.children.filter(first_content_at=None).count() == 3)
    until(lambda: writing(run) > 1)
    asked = time.time()
    runs.stop(alice, run.stream_id)
    until(lambda: not Run.objects.active().exists(), 3)
    run.refresh_from_db()
    children = list(run.children.all())
    assert {run.state, *(child.state for child in children)} == {Run.State.STOPPED}
    assert all(child.ended_at and run.ended_at and child.ended_at <= run.ended_at for child in children)
    until(lambda: all(each["outcome"] for each in running.requests()), 3)
    assert all(each["ended_at"] - asked < 1.0 for each in running.requests())
    assert list(faults()) == []


def test_one_task_may_be_stopped_alone(running: Sandbox, alice: Actor) -> None:
    team(alice)
    run = runs.start(alice, Command(text=ASK, context="orchestration", model="openai/gpt-sandbox"))
    until(lambda: run.children.count() == 3)
    child = run.children.get(input__specialist="Writer")
    runs.stop(alice, child.stream_id)
    entries = async_to_sync(read_all)(run.stream_id, seconds=60)
    failed = [part for part in fold(entries) if part.get("is_error")]
    assert [part["result"] for part in failed] == ["Writer was stopped before the task was done."]
    run.refresh_from_db()
    assert run.state == Run.State.DONE


def test_an_answer_delegates_only_so_much(running: Sandbox, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestration, "MOST_TASKS", 2)
    team(alice)
    run, entries = ask(alice)
    assert run.children.count() == 2
    failed = [part["result"] for part in fold(entries) if part.get("is_error")]
    assert failed == ["This answer has delegated 2 tasks. Go on with what you have."]


def test_a_task_that_takes_too_long_ends(running: Sandbox, alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orchestration, "TASK_SECONDS", 0.3)
    team(alice)
    run, entries = ask(alice)
    failed = [part["result"] for part in fold(entries) if part.get("is_error")]
    assert len(failed) == 3
    assert all("(timeout)" in result for result in failed)
    assert {child.error["code"] for child in run.children.all()} == {"timeout"}
    assert run.state == Run.State.DONE


def test_its_own_default_leads_and_without_one_the_chat_s(running: Sandbox, alice: Actor) -> None:
    team(alice, researcher="", writer="")
    run, _ = ask(alice)
    chat = ContextDefault.objects.select_related("model").get(context="chat", user=None, workspace=None)
    assert run.served_model == chat.model.key
    large = LanguageModel.objects.get(model_id="mistral-sandbox-large")
    ContextDefault.objects.create(context="orchestration", workspace_id=alice.workspace_id, model=large)
    run, _ = ask(alice)
    assert run.served_model == "mistral/mistral-sandbox-large"
    assert {child.served_model for child in run.children.all()} == {"mistral/mistral-sandbox-large"}


# ---------------------------------------------------------------- seeing it
def test_the_page_shows_each_task_with_its_model_after_a_reload(running: Sandbox, alice: Actor, signed_in: Any) -> None:
    team(alice)
    run, _ = ask(alice)
    html = signed_in(alice).get(f"/c/{run.conversation_id}/").content.decode()
    assert html.count("</strong> answered") == 3
    assert "Gemini Sandbox Flash" in html
    assert "with specialists" in html
    assert "<answer-stream" not in html, "nothing is followed that has ended"


def test_a_reload_in_mid_task_shows_what_is_there(running: Sandbox, alice: Actor, signed_in: Any) -> None:
    team(alice)
    run = runs.start(alice, Command(text=ASK, context="orchestration", model="openai/gpt-sandbox"))
    until(lambda: writing(run) > 1)
    html = signed_in(alice).get(f"/c/{run.conversation_id}/").content.decode()
    assert html.count("<answer-stream") == 4
    assert all(str(child.stream_id) in html for child in run.children.all())
    runs.stop(alice, run.stream_id)
    until(lambda: not Run.objects.active().exists())


def test_a_task_is_read_by_its_owner_alone(running: Sandbox, alice: Actor, bob: Actor) -> None:
    team(alice)
    run, _ = ask(alice)
    child = run.children.first()
    assert child is not None
    mine, theirs = Client(headers=bearer(alice)), Client(headers=bearer(bob))
    assert mine.get(f"/api/v1/runs/{child.pk}/").json()["parent"] == str(run.pk)
    assert theirs.get(f"/api/v1/runs/{child.pk}/").status_code == 404
    assert theirs.get(f"/api/v1/runs/{child.pk}/events").status_code == 404
    shown = mine.get(f"/api/v1/runs/{run.pk}/").json()
    assert shown["usage_total"]["output_tokens"] > shown["usage"]["output_tokens"]


def test_a_deleted_conversation_takes_its_tasks_with_it(running: Sandbox, alice: Actor) -> None:
    team(alice)
    run = runs.start(alice, Command(text=ASK, context="orchestration", model="openai/gpt-sandbox"))
    until(lambda: run.children.count() == 3)
    assert run.conversation_id is not None
    conversations.delete(alice, run.conversation_id)
    assert not Run.objects.exists()


def test_the_conversations_tools_stay_beside_the_specialists(running: Sandbox, alice: Actor) -> None:
    team(alice)
    run, entries = ask(alice, "Use clock, and delegate")
    assert run.state == Run.State.DONE, run.error
    results = {part["name"]: part["result"] for part in fold(entries) if part["type"] == "tool_call"}
    assert set(results) == {"clock", "delegate_researcher", "delegate_writer", "delegate_reviewer"}
    assert "(UTC)" in results["clock"]
    assert run.children.count() == 3


def test_an_orchestrator_takes_tools_and_the_trace_says_who_does_not(running: Sandbox, alice: Actor) -> None:
    team(alice)
    LanguageModel.objects.exclude(provider_id="gemini").update(supports_tools=None)
    run, _ = ask(alice)
    assert run.served_model.startswith("gemini/"), run.error
    left_out = {each["model"]: each["verdict"] for each in run.trace["candidates"][:-1]}
    assert left_out
    assert set(left_out.values()) == {"lacks_tools"}
    named, _ = ask(alice, model="openai/gpt-sandbox")
    assert named.error["code"] == "invalid_request"
    assert "not known to support tools, which this request needs" in named.error["message"]


def test_a_specialist_with_tools_needs_a_model_that_takes_them(running: Sandbox, alice: Actor) -> None:
    team(alice)
    Specialist.objects.filter(slug="writer").update(tools=["clock"])
    LanguageModel.objects.filter(provider_id="anthropic").update(supports_tools=False)
    run, entries = ask(alice)
    failed = [part for part in fold(entries) if part.get("is_error")]
    assert [part["name"] for part in failed] == ["delegate_writer"]
    assert "not known to support tools" in failed[0]["result"]
    writer = next(child for child in run.children.all() if child.input["specialist"] == "Writer")
    assert writer.trace["candidates"][0]["verdict"] == "lacks_tools"


def test_a_clients_tool_may_not_be_named_like_a_specialist(alice: Actor, upstream: Sandbox) -> None:
    team(alice)
    spec = ToolSpec("delegate_writer", "Mine.", {"type": "object"})
    with pytest.raises(Problem) as refused:
        runs.start(alice, Command(text=ASK, context="orchestration", client_tools=(spec,)))
    assert (refused.value.status, refused.value.code) == (422, "invalid_tool")
    runs.start(alice, Command(text="Hello", client_tools=(spec,)))
