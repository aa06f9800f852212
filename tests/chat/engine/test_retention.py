"""What goes after how long, what stays beside it, and that a stream without its events still tells the answer."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Workspace
from accounts.policies import Actor
from catalog.models import Limit
from chat import retention
from chat.audit_streams import faults
from chat.models import Attachment, Conversation, Message, Run, StreamEvent, UsageEntry
from chat.protocol import Entry, fold
from chat.recalled import unfold
from tests.chat.doors.conftest import STARTED, bearer, finish, signed_in, text, write
from tests.chat.engine.rows import make_run, read_all, stored
from tests.factories import make_workspace

__all__ = ["signed_in"]
NOW = timezone.now()
PARTS: list[dict[str, Any]] = [
    {"type": "reasoning", "kind": "summary", "text": "Let me see."},
    {"type": "text", "text": "I look it up. "},
    {"type": "tool_call", "id": "c1", "name": "search", "args": '{"q": 1}', "result": "Found", "ms": 12},
    {"type": "tool_call", "id": "c2", "name": "search", "args": "{}", "result": "No", "is_error": True},
    {"type": "tool_call", "id": "c3", "name": "search", "args": "{}"},
    {"type": "text", "text": "Here.", "index": 1},
]


def keep(actor: Actor, **over: Any) -> None:
    Workspace.objects.filter(pk=actor.workspace_id).update(**over)


def ended(actor: Actor, ago: timedelta, **over: Any) -> Run:
    """A run that was answered so long ago, with a journal, a trace and usage."""
    run = make_run(actor, served_model="openai/gpt-x", credential_source="own", credential_hint="…4f2a", **over)
    finish(run, STARTED, text("Hello **you**"))
    at = NOW - ago
    Run.objects.filter(pk=run.pk).update(
        ended_at=at, created_at=at, trace={"context": "chat"}, usage={"output_tokens": 12}
    )
    Conversation.objects.filter(pk=run.conversation_id).update(updated_at=at)
    UsageEntry.objects.create(
        run=run, workspace_id=run.workspace_id, user_id=run.user_id, at=at, context="chat", output_tokens=12
    )
    run.refresh_from_db()
    return run


def days(number: float) -> timedelta:
    return timedelta(days=number)


# ---------------------------------------------------------------- each for itself
def test_content_goes_when_the_workspace_says_so_and_usage_stays(alice: Actor, charlie: Actor) -> None:
    old, fresh, theirs = ended(alice, days(31)), ended(alice, days(29)), ended(charlie, days(400))
    assert retention.purge(NOW).get("conversations", 0) == 0
    keep(alice, content_days=30)
    assert retention.purge(NOW)["conversations"] == 1
    assert set(Run.objects.values_list("pk", flat=True)) == {fresh.pk, theirs.pk}
    assert not Message.objects.filter(conversation=old.conversation_id).exists()
    assert UsageEntry.objects.filter(workspace_id=alice.workspace_id).count() == 2


def test_what_is_being_answered_stays(alice: Actor) -> None:
    run = make_run(alice, lease=days(1))
    Conversation.objects.update(updated_at=NOW - days(99))
    keep(alice, content_days=1)
    retention.purge(NOW)
    assert Run.objects.filter(pk=run.pk).exists()


def test_an_answer_that_begins_while_it_is_chosen_keeps_its_conversation(alice: Actor) -> None:
    begun, idle = make_run(alice), make_run(alice, state=Run.State.DONE)
    retention._conversations([begun.conversation_id, idle.conversation_id])
    assert set(Conversation.objects.values_list("pk", flat=True)) == {begun.conversation_id}


def test_old_runs_of_what_is_still_used_stay(alice: Actor) -> None:
    keep(alice, content_days=10)
    run = ended(alice, days(11))
    Conversation.objects.update(updated_at=NOW)
    child = Run.objects.create(
        stream_id=uuid.uuid4(), branch=uuid.uuid4(), parent=run, workspace_id=run.workspace_id, user_id=run.user_id,
        state=Run.State.DONE,
    )  # fmt: skip
    Run.objects.filter(pk=child.pk).update(created_at=run.created_at)
    assert retention.purge(NOW)["values"] == 0
    assert Run.objects.count() == 2


def test_values_and_documents_are_content(alice: Actor) -> None:
    keep(alice, content_days=10)
    at = NOW - days(11)
    base = {"workspace_id": alice.workspace_id, "user_id": alice.user_id, "state": Run.State.DONE}
    files = {"workspace_id": alice.workspace_id, "owner_id": alice.user_id, "purpose": "document", "size": 1}
    names = ("idle", "asked", "slow")
    idle, asked, slow = (Attachment.objects.create(filename=name, kind="text", **files) for name in names)
    Attachment.objects.update(created_at=at)
    Run.objects.create(stream_id=uuid.uuid4(), branch=uuid.uuid4(), document=asked, context="doc", **base)
    value = Run.objects.create(stream_id=uuid.uuid4(), branch=uuid.uuid4(), context="structured", **base)
    going = base | {"state": Run.State.RUNNING}
    still = Run.objects.create(stream_id=uuid.uuid4(), branch=uuid.uuid4(), document=slow, context="doc", **going)
    Run.objects.filter(pk__in=[value.pk, still.pk]).update(created_at=at)
    counted = retention.purge(NOW)
    assert (counted["documents"], counted["values"]) == (1, 1)
    assert set(Attachment.objects.all()) == {asked, slow}
    assert idle not in {asked, slow}


def test_events_go_after_hours_and_the_answer_stays(alice: Actor) -> None:
    old, fresh = ended(alice, timedelta(hours=25)), ended(alice, timedelta(hours=23))
    assert retention.purge(NOW)["journals"] == 1
    assert (stored(old), len(stored(fresh))) == ([], 3)
    assert Message.objects.get(pk=old.answer_id).text == "Hello **you**"
    assert list(faults()) == []


def test_time_counts_from_the_end_of_a_run(alice: Actor) -> None:
    going = make_run(alice)
    write(going, STARTED)
    ended(alice, timedelta(hours=1))
    Run.objects.update(created_at=NOW - timedelta(hours=30))
    assert retention.purge(NOW)["journals"] == 0


def test_traces_and_usage_go_after_days(alice: Actor) -> None:
    run = ended(alice, days(91))
    keep(alice, usage_days=120)
    retention.purge(NOW)
    run.refresh_from_db()
    assert (run.trace, run.credential_hint, run.usage) == ({}, "", {"output_tokens": 12})
    assert (run.served_model, run.credential_source) == ("openai/gpt-x", "own")
    keep(alice, usage_days=90)
    retention.purge(NOW)
    run.refresh_from_db()
    assert (run.usage, UsageEntry.objects.count()) == ({}, 0)


def test_a_limited_month_keeps_its_usage_to_the_end(alice: Actor) -> None:
    keep(alice, usage_days=1)
    at = datetime(2026, 11, 20, tzinfo=NOW.tzinfo)
    for day in (2, 19):
        when = at.replace(day=day) - days(1)
        UsageEntry.objects.create(workspace_id=alice.workspace_id, user_id=alice.user_id, at=when, context="chat")
    UsageEntry.objects.create(workspace_id=alice.workspace_id, user_id=alice.user_id, at=at - days(40), context="chat")
    Limit.objects.create(workspace_id=alice.workspace_id, period="month", hard=5)
    assert retention.purge(at)["usage"] == 1
    Limit.objects.all().delete()
    assert retention.purge(at)["usage"] == 2


def test_what_a_run_is_using_is_kept_however_long_it_takes(alice: Actor) -> None:
    keep(alice, usage_days=1)
    run = make_run(alice)
    UsageEntry.objects.create(
        run=run, workspace_id=run.workspace_id, user_id=run.user_id, at=NOW - days(3), context="chat"
    )
    assert retention.purge(NOW)["usage"] == 0


# ---------------------------------------------------------------- how
def test_a_limited_month_shortens_nothing(alice: Actor) -> None:
    keep(alice, usage_days=90)
    Limit.objects.create(workspace_id=alice.workspace_id, period="month", hard=1)
    ended(alice, days(40))
    assert retention.purge(NOW)["usage"] == 0


def test_a_round_takes_a_bounded_bite(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        ended(alice, days(2))
    assert retention.purge(NOW, most=2)["journals"] == 4
    assert retention.purge(NOW, most=2)["journals"] == 1


def test_a_dry_run_counts_and_removes_nothing(alice: Actor, capsys: pytest.CaptureFixture[str]) -> None:
    ended(alice, days(100))
    keep(alice, content_days=5)
    call_command("purge", dry_run=True)
    told = capsys.readouterr().out
    for name in ("conversations", "journals", "traces", "usage"):
        assert f"{name}: 1 would go" in told
    assert (Conversation.objects.count(), UsageEntry.objects.count(), StreamEvent.objects.count()) == (1, 1, 3)
    call_command("purge")
    assert "conversations: 1 gone" in capsys.readouterr().out
    assert (Conversation.objects.count(), UsageEntry.objects.count(), StreamEvent.objects.count()) == (0, 0, 0)


def test_a_workspace_without_anything_is_no_trouble(alice: Actor) -> None:
    make_workspace("Empty", content_days=1)
    assert sum(retention.purge(NOW).values()) == 0
    assert alice.workspace_id


# ---------------------------------------------------------------- told again
def test_what_is_told_again_folds_into_the_same_message() -> None:
    entries = [Entry(number, *event) for number, event in enumerate(unfold(PARTS), start=1)]
    assert fold(entries) == PARTS


@pytest.mark.django_db(transaction=True)
def test_a_stream_without_its_events_tells_the_answer_and_how_it_ended(alice: Actor, client: Client) -> None:
    run = ended(alice, days(2))
    retention.purge(NOW)
    told = async_to_sync(read_all)(run.stream_id)
    assert [entry.sequence for entry in told] == [1, 2, 3]
    assert fold(told) == Message.objects.get(pk=run.answer_id).parts
    assert (told[-1].event_type, told[-1].data["usage"]) == ("done", {"output_tokens": 12})
    (last,) = async_to_sync(read_all)(run.stream_id, 7)
    assert (last.sequence, last.terminal) == (8, True)
    failed = ended(alice, days(2), error={"code": "timeout", "message": "Late.", "provider_id": "openai"})
    Run.objects.filter(pk=failed.pk).update(state=Run.State.FAILED)
    retention.purge(NOW)
    assert async_to_sync(read_all)(failed.stream_id)[-1].data["code"] == "timeout"


@pytest.mark.django_db(transaction=True)
def test_pages_and_the_api_show_an_answer_without_trace_events_and_usage(alice: Actor, signed_in: Any) -> None:
    run = ended(alice, days(100))
    Conversation.objects.update(leaf=run.answer_id)
    retention.purge(NOW)
    page = signed_in(alice).get(f"/c/{run.conversation_id}/")
    assert page.status_code == 200
    assert "Hello <strong>you</strong>" in page.text
    told = Client().get(f"/api/v1/runs/{run.pk}/", headers=bearer(alice)).json()
    assert (told["state"], told["trace"], told["usage"]) == ("done", {}, {})
