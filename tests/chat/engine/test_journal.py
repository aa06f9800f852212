"""The journal on a real database: numbering, group commit, following, fences and the reaper."""

import asyncio
import os
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db.models.functions import Now

from accounts.policies import Actor
from chat import hub, ledger, owner
from chat.database import in_db
from chat.journal import Journal
from chat.ledger import Closing
from chat.models import Message, Run, StreamEvent
from chat.protocol import Entry, fold, stopped
from tests.chat.engine.rows import make_run, read_all, stored

pytestmark = [pytest.mark.anyio, pytest.mark.django_db(transaction=True)]

run_for = sync_to_async(make_run)
entries_of = sync_to_async(stored)


def ending(parts: list[dict[str, object]]) -> Closing:
    return Closing("done", stopped(provider_id="openai", model_id="m"), Run.State.STOPPED, parts)


async def test_a_reader_gets_every_entry_once_whenever_it_joins(alice: Actor) -> None:
    run = await run_for(alice)
    journal = Journal("here")
    writing = asyncio.create_task(journal.write_forever())
    writer = journal.open(run.pk, run.stream_id)
    readers = []
    for number in range(200):
        if number % 40 == 0:
            readers.append(asyncio.create_task(read_all(run.stream_id)))
        writer.add("content_delta", {"delta": f"{number} "})
        await asyncio.sleep(0.002)
    await writer.close(ending(writer.fold.parts))
    seen = [await reader for reader in readers]
    writing.cancel()
    truth = await entries_of(run)
    assert [entry.sequence for entry in truth] == list(range(1, len(truth) + 1))
    assert all(entries == truth for entries in seen)
    assert fold(truth) == [{"type": "text", "text": "".join(f"{number} " for number in range(200))}]
    assert len(truth) < 60, "deltas of one window share a row"
    assert hub.readers() == 0


async def test_a_reader_resumes_from_any_sequence(alice: Actor) -> None:
    run = await run_for(alice)
    rows = [StreamEvent(run=run, sequence=n, event_type="content_delta", data={"delta": str(n)}) for n in range(1, 30)]
    rows.append(StreamEvent(run=run, sequence=30, event_type="done", data={}))
    await StreamEvent.objects.abulk_create(rows)
    await Run.objects.filter(pk=run.pk).aupdate(state=Run.State.DONE)
    for after in (0, 1, 17, 29, 30, 99):
        assert [entry.sequence for entry in await read_all(run.stream_id, after)] == list(range(after + 1, 31))


async def test_a_slow_reader_that_misses_batches_reads_the_database(alice: Actor) -> None:
    run = await run_for(alice)
    journal = Journal("here")
    writing = asyncio.create_task(journal.write_forever())
    writer = journal.open(run.pk, run.stream_id)
    reader = asyncio.create_task(read_all(run.stream_id))
    await asyncio.sleep(0.1)
    # A batch that skips what came before it, as a full mailbox would leave it.
    hub.publish(str(run.stream_id), (Entry(900, "content_delta", {"delta": "from the future"}),))
    writer.add("content_delta", {"delta": "now"})
    await writer.close(ending(writer.fold.parts))
    entries = await reader
    writing.cancel()
    assert [entry.sequence for entry in entries] == [1, 2]


async def test_the_message_is_there_with_the_terminal_event(alice: Actor) -> None:
    run = await run_for(alice)
    journal = Journal("here")
    writing = asyncio.create_task(journal.write_forever())
    writer = journal.open(run.pk, run.stream_id)
    writer.add("content_delta", {"delta": "Whole."})
    await writer.close(ending(writer.fold.parts))
    writing.cancel()
    message = await Message.objects.aget(pk=run.stream_id)
    after = await Run.objects.aget(pk=run.pk)
    assert message.parts == fold(await entries_of(run)) == [{"type": "text", "text": "Whole."}]
    assert after.state == Run.State.STOPPED
    assert after.ended_at is not None


async def test_a_run_closed_elsewhere_fences_its_old_writer_and_spares_the_others(alice: Actor) -> None:
    lost, kept = await run_for(alice), await run_for(alice)
    journal = Journal("here")
    writing = asyncio.create_task(journal.write_forever())
    zombie, healthy = journal.open(lost.pk, lost.stream_id), journal.open(kept.pk, kept.stream_id)
    zombie.add("content_delta", {"delta": "before"})
    await asyncio.sleep(0.3)
    await Run.objects.filter(pk=lost.pk).aupdate(lease_until=Now() - timedelta(seconds=1))
    assert await sync_to_async(ledger.reap)("here") == [lost.stream_id]
    zombie.add("content_delta", {"delta": "after"})
    healthy.add("content_delta", {"delta": "fine"})
    async with asyncio.timeout(5):
        await zombie.lost.wait()
        await healthy.close(ending(healthy.fold.parts))
    writing.cancel()
    assert [entry.event_type for entry in await entries_of(lost)] == ["content_delta", "error"]
    assert [entry.event_type for entry in await entries_of(kept)] == ["content_delta", "done"]
    answer = await Message.objects.aget(pk=lost.stream_id)
    assert answer.parts == [{"type": "text", "text": "before"}]


async def test_a_run_that_another_process_owns_is_not_closed_by_the_old_one(alice: Actor) -> None:
    run = await run_for(alice, owner="another process")
    writer = Journal("here").open(run.pk, run.stream_id)
    writer.closing = ending([])
    writer.pending.append((writer.closing.event_type, writer.closing.data))
    with pytest.raises(ledger.LeaseLost):
        await sync_to_async(ledger.commit)([writer.take()], "here")
    assert await entries_of(run) == []
    assert (await Run.objects.aget(pk=run.pk)).state == Run.State.RUNNING


async def test_a_commit_whose_answer_was_lost_is_not_written_twice(alice: Actor) -> None:
    run = await run_for(alice)
    journal = Journal("here")
    writer = journal.open(run.pk, run.stream_id)
    writer.add("content_delta", {"delta": "once"})
    piece = writer.take()
    await sync_to_async(ledger.commit)([piece], "here")
    await journal._commit_with_patience([piece])
    assert [entry.data["delta"] for entry in await entries_of(run)] == ["once"]


async def test_the_reaper_leaves_runs_that_are_alive(alice: Actor) -> None:
    await run_for(alice)
    assert await sync_to_async(ledger.reap)("here") == []


async def test_a_run_whose_process_has_ended_on_this_machine_does_not_wait_for_its_lease(alice: Actor) -> None:
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    run = await run_for(alice, owner=f"{owner.machine()}:{process.pid}:feedbeef")
    other = await run_for(alice, owner=f"elsewhere:{process.pid}:feedbeef")
    alive = await run_for(alice, owner=f"{owner.machine()}:{os.getppid()}:feedbeef")
    assert await sync_to_async(ledger.reap)(owner.new()) == [run.stream_id]
    assert [entry.event_type for entry in await entries_of(other)] == []
    assert [entry.event_type for entry in await entries_of(alive)] == []


async def test_a_queued_run_that_nobody_took_is_closed_with_the_reason(alice: Actor) -> None:
    run = await run_for(alice, state=Run.State.QUEUED, lease_owner="", lease_until=None)
    await Run.objects.filter(pk=run.pk).aupdate(created_at=Now() - timedelta(minutes=5))
    assert await sync_to_async(ledger.reap)("here") == [run.stream_id]
    entries = await read_all(run.stream_id)
    assert [(entry.event_type, entry.data["code"]) for entry in entries] == [("error", "interrupted")]


async def test_two_claims_never_take_one_run(alice: Actor) -> None:
    for _ in range(6):
        await run_for(alice, state=Run.State.QUEUED, lease_owner="", lease_until=None)
    taken = await asyncio.gather(*(in_db(ledger.claim, f"process {number}", 6) for number in range(4)))
    ids = [run.pk for each in taken for run in each]
    assert len(ids) == len(set(ids)) == 6
