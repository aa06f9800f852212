"""What a workspace keeps for so long and no longer: content, stream events, traces and usage. Removed in small batches,
each a short transaction of its own, so that nobody waits for it; several processes may do it at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Workspace
from catalog.limits import begun
from catalog.models import Limit
from chat.models import Attachment, Conversation, Run, StreamEvent, UsageEntry

BATCH = 50
# What one round takes of each kind in each workspace; the rest is left to the next.
ROUND_BATCHES = 20

type Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is how it is counted, `rows` what is too old, `remove` takes a batch of them away."""

    name: str
    rows: Rows
    remove: Callable[[list[Any]], object]


def purge(now: datetime | None = None, most: int | None = None) -> dict[str, int]:
    """Remove what is too old, at most so many batches of each kind in each workspace; how many rows of which kind."""
    gone: dict[str, int] = {}
    for kind in _all(now or timezone.now()):
        gone[kind.name] = gone.get(kind.name, 0) + _remove(kind, most)
    return gone


def due(now: datetime | None = None) -> dict[str, int]:
    """How many rows of which kind are too old; nothing is removed."""
    found: dict[str, int] = {}
    for kind in _all(now or timezone.now()):
        found[kind.name] = found.get(kind.name, 0) + kind.rows.count()
    return found


def _all(now: datetime) -> Iterator[Kind]:
    for workspace in Workspace.objects.order_by("created_at", "pk"):
        if workspace.content_days is not None:
            yield from _content(workspace, now - timedelta(days=workspace.content_days))
        yield _events(workspace, now - timedelta(hours=workspace.event_hours))
        yield _traces(workspace, now - timedelta(days=workspace.trace_days))
        yield from _usage(workspace, now)


def _remove(kind: Kind, most: int | None) -> int:
    gone = batches = 0
    while most is None or batches < most:
        ids = list(kind.rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not ids:
            break
        with transaction.atomic():
            kind.remove(ids)
        gone += len(ids)
        batches += 1
    return gone


# ---------------------------------------------------------------- the kinds
def _content(workspace: Workspace, before: datetime) -> Iterator[Kind]:
    """Conversations by their last message, documents by what was last asked of them, values by when they were made."""
    active = Run.objects.active().order_by()
    conversations = Conversation.objects.filter(workspace=workspace, updated_at__lt=before)
    idle = conversations.exclude(Exists(active.filter(conversation=OuterRef("pk"))))
    yield Kind("conversations", idle, _conversations)
    documents = Attachment.objects.documents().filter(workspace=workspace, created_at__lt=before)
    asked = Run.objects.filter(Q(created_at__gte=before) | Q(state__in=Run.ACTIVE), document=OuterRef("pk")).order_by()
    yield Kind(
        "documents", documents.exclude(Exists(asked)), lambda ids: Attachment.objects.filter(pk__in=ids).delete()
    )
    alone = Run.objects.exclude(state__in=Run.ACTIVE).filter(
        workspace=workspace, conversation=None, document=None, parent=None, created_at__lt=before
    )
    yield Kind("values", alone, lambda ids: Run.objects.filter(pk__in=ids).delete())


def _conversations(ids: list[Any]) -> None:
    """Whoever has begun to answer in the meantime keeps the conversation."""
    rows = Conversation.objects.filter(pk__in=ids)
    locked = list(rows.select_for_update().values_list("pk", flat=True))
    busy = Run.objects.active().filter(conversation__in=locked).values("conversation")
    rows.filter(pk__in=locked).exclude(pk__in=busy).delete()


def _events(workspace: Workspace, before: datetime) -> Kind:
    """The journals of runs that ended; `recalled` tells such a stream from what is stored with its run."""
    written = StreamEvent.objects.filter(run=OuterRef("pk")).order_by()
    rows = _ended(workspace, before).filter(Exists(written))
    return Kind("journals", rows, lambda ids: StreamEvent.objects.filter(run__in=ids).delete())


def _traces(workspace: Workspace, before: datetime) -> Kind:
    """Who answered stays with the answer, as the key's last characters do not."""
    rows = _ended(workspace, before).exclude(trace={})
    return Kind("traces", rows, lambda ids: Run.objects.filter(pk__in=ids).update(trace={}, credential_hint=""))


def _usage(workspace: Workspace, now: datetime) -> Iterator[Kind]:
    """As long as a month is limited, its usage is kept until it ends."""
    before = now - timedelta(days=workspace.usage_days)
    counted = begun(Limit.Period.MONTH, now)
    monthly = Limit.objects.filter(workspace=workspace, period=Limit.Period.MONTH).exists()
    old = UsageEntry.objects.filter(workspace=workspace, at__lt=min(before, counted) if monthly else before)
    idle = old.exclude(run__state__in=Run.ACTIVE)
    yield Kind("usage", idle, lambda ids: UsageEntry.objects.filter(pk__in=ids).delete())
    rows = _ended(workspace, before).exclude(usage={})
    yield Kind("counts", rows, lambda ids: Run.objects.filter(pk__in=ids).update(usage={}))


def _ended(workspace: Workspace, before: datetime) -> QuerySet[Run]:
    return Run.objects.exclude(state__in=Run.ACTIVE).filter(workspace=workspace, ended_at__lt=before)
