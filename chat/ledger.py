"""The journal's transactions: append entries, close a run with its message, read a stream. Synchronous, no loop."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from chat import entries, owner, recalled
from chat.models import Conversation, Message, Run, StreamEvent
from chat.protocol import Entry, fold, interrupted

LEASE = timedelta(seconds=8)
QUEUE_PATIENCE = timedelta(seconds=60)
READ_LIMIT = 2_000
# In one statement: every database takes so many values.
MOST_ROWS = 150
_INSERT = "INSERT INTO chat_stream_events (run_id, sequence, event_type, data, created_at) VALUES "
_VALUES = "(%s, %s, %s, %s, %s)"


class LeaseLost(Exception):
    """Another process closed a run that this one was writing."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a run ends: the terminal event, and what its rows say from then on."""

    event_type: str
    data: dict[str, Any]
    state: Run.State
    parts: list[dict[str, Any]]
    native: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slice:
    """The entries of one run in one commit, with its closing if it ends here."""

    run_id: UUID
    stream_id: UUID
    entries: tuple[Entry, ...]
    closing: Closing | None = None


def commit(slices: list[Slice], me: str) -> None:
    """Write all slices in one transaction. Raises IntegrityError or LeaseLost when a run is no longer ours: the
    reaper's terminal event has taken the next sequence."""
    with transaction.atomic():
        _append(slices)
        for piece in slices:
            if piece.closing:
                _close(piece.run_id, piece.stream_id, piece.closing, me)


def _append(slices: list[Slice]) -> None:
    """One row an entry, without a model object for each: this is the house's hottest query, and `bulk_create` costs
    three times of what the database does."""
    ops, now = connection.ops, timezone.now()
    at = ops.adapt_datetimefield_value(now)
    key = StreamEvent._meta.get_field("run").target_field  # noqa: SLF001 - Django's documented _meta
    rows = [
        (run_id, entry.sequence, entry.event_type, ops.adapt_json_value(entry.data, None), at)
        for piece in slices
        for run_id in (key.get_db_prep_value(piece.run_id, connection),)
        for entry in piece.entries
    ]
    with connection.cursor() as cursor:
        for batch in batched(rows, MOST_ROWS, strict=False):
            cursor.execute(_INSERT + ", ".join([_VALUES] * len(batch)), [value for row in batch for value in row])


def _close(run_id: UUID, stream_id: UUID, closing: Closing, me: str) -> None:
    changed = Run.objects.filter(pk=run_id, state=Run.State.RUNNING, lease_owner=me).update(
        state=closing.state, ended_at=timezone.now(), lease_until=None, **closing.run
    )
    if not changed:
        raise LeaseLost(str(run_id))
    Message.objects.filter(pk=stream_id).update(parts=closing.parts, native=closing.native)
    entries.settle(run_id, closing.state, closing.run)


def still_open(slices: list[Slice], me: str) -> list[Slice]:
    """The slices whose runs this process still writes, without the entries that are stored already."""
    ids = [piece.run_id for piece in slices]
    mine = set(Run.objects.filter(pk__in=ids, state=Run.State.RUNNING, lease_owner=me).values_list("pk", flat=True))
    stored = dict(StreamEvent.objects.filter(run_id__in=mine).values_list("run_id").annotate(Max("sequence")))
    return [
        Slice(
            piece.run_id,
            piece.stream_id,
            tuple(entry for entry in piece.entries if entry.sequence > stored.get(piece.run_id, 0)),
            piece.closing,
        )
        for piece in slices
        if piece.run_id in mine
    ]


def read(stream_id: UUID, after: int) -> tuple[list[Entry], bool]:
    """Entries after a sequence (at most READ_LIMIT), and whether more may come."""
    run = Run.objects.filter(stream_id=stream_id).values_list("pk", "state").first()
    if run is None:
        return [], False
    # The state was read first: a run that ends in between is read to its end by the caller's next look.
    rows = StreamEvent.objects.filter(run_id=run[0], sequence__gt=after).order_by("sequence")
    found = [Entry(*row) for row in rows.values_list("sequence", "event_type", "data")[:READ_LIMIT]]
    if not found and run[1] not in Run.ACTIVE and not StreamEvent.objects.filter(run_id=run[0]).exists():
        return _recalled(run[0], after), False
    return found, run[1] in Run.ACTIVE or len(found) == READ_LIMIT


def _recalled(run_id: UUID, after: int) -> list[Entry]:
    """The stream of an ended run whose events are gone. Its sequences are not those it had: who has read some of it
    learns how it ended, and reads the message for the rest."""
    whole = recalled.entries(Run.objects.select_related("answer").get(pk=run_id))
    return [replace(whole[-1], sequence=after + 1)] if after else whole


# ---------------------------------------------------------------- leases
def claim(me: str, limit: int) -> list[Run]:
    """Take up to `limit` queued runs, oldest first."""
    claimed = []
    for pk in Run.objects.filter(state=Run.State.QUEUED).order_by("created_at").values_list("pk", flat=True)[:limit]:
        taken = Run.objects.filter(pk=pk, state=Run.State.QUEUED).update(
            state=Run.State.RUNNING, lease_owner=me, lease_until=Now() + LEASE, started_at=Now()
        )
        if taken:
            claimed.append(pk)
    return (
        list(Run.objects.filter(pk__in=claimed).select_related("conversation", "answer__parent", "document"))
        if claimed
        else []
    )


def renew(me: str, writing: Iterable[UUID]) -> None:
    """The heartbeat of the runs this process writes. One that it claimed and does not write is left to be reaped."""
    mine = Run.objects.filter(lease_owner=me, state=Run.State.RUNNING, pk__in=writing)
    mine.update(lease_until=Now() + LEASE)


def stops_requested(me: str) -> list[UUID]:
    rows = Run.objects.filter(lease_owner=me, state=Run.State.RUNNING, stop_requested_at__isnull=False)
    return list(rows.values_list("pk", flat=True))


def reap(me: str) -> list[UUID]:
    """Close every run whose process is lost (and queued ones nobody took); returns their stream ids."""
    running = Run.objects.filter(state=Run.State.RUNNING)
    gone = [each for each in running.values_list("lease_owner", flat=True).distinct() if owner.is_dead(each, me=me)]
    expired = running.filter(Q(lease_until__lt=Now()) | Q(lease_owner__in=gone))
    forgotten = Run.objects.filter(state=Run.State.QUEUED, created_at__lt=Now() - QUEUE_PATIENCE)
    closed: list[UUID | None] = []
    for candidates in (expired, forgotten):
        closed += [_reap_one(candidates, pk) for pk in candidates.values_list("pk", flat=True)]
    return [stream_id for stream_id in closed if stream_id is not None]


def _reap_one(candidates: Any, pk: UUID) -> UUID | None:
    """Re-check under a lock, then end the run where its journal ends."""
    with transaction.atomic():
        run = candidates.select_for_update().filter(pk=pk).first()
        if run is None:
            return None
        rows = StreamEvent.objects.filter(run=run).order_by("sequence")
        written = [Entry(*row) for row in rows.values_list("sequence", "event_type", "data")]
        error = interrupted(run.served_model.partition("/")[0])
        close_now(run, written, "error", error, Run.State.INTERRUPTED)
        stream_id: UUID = run.stream_id
        return stream_id


def close_now(run: Run, written: list[Entry], event_type: str, data: dict[str, Any], state: Run.State) -> None:
    """End a run that no process writes, inside the caller's transaction and under its lock."""
    StreamEvent.objects.create(run=run, sequence=len(written) + 1, event_type=event_type, data=data)
    run.state, run.ended_at, run.lease_until = state, timezone.now(), None
    run.error = data if event_type == "error" else {}
    run.output = run.output if run.answer_id else {**run.output, "parts": fold(written)}
    run.save(update_fields=["state", "ended_at", "lease_until", "error", "output"])
    if run.answer_id:
        Message.objects.filter(pk=run.answer_id).update(parts=fold(written))
    entries.settle_lost(run)


def touch(conversation_id: UUID, leaf_id: UUID) -> None:
    """Move a conversation to the top with this leaf."""
    Conversation.objects.filter(pk=conversation_id).update(updated_at=Now(), leaf_id=leaf_id)
