"""One viewer's side of a stream: authorise, read the journal, and say what to draw, at most 20 times a second."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.policies import Actor
from catalog.models import Context
from chat.database import in_db
from chat.models import Conversation, Message, Run
from chat.protocol import Entry
from chat.reading import Reader
from chat.render.cards import Desk, Place
from chat.render.names import By, by_of, labels_of
from chat.render.presentation import Frame, Presentation
from chat.render.readings import desk_of
from chat.render.sheet import Sheet
from chat.render.summaries import tools
from chat.render.tasks import children_of
from chat.render.turns import added, footer, place_of

QUIET_SECONDS = 60.0
# Above this many characters rendering leaves the event loop, which other sockets share.
HEAVY_CHARS = 8_000


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream that the viewer may see. `place` is its turn, None for a value, a summary, a task."""

    run: Run
    place: Place | Desk | None
    by: By

    def presentation(self) -> Presentation | Sheet:
        return Sheet(self.by) if self.run.context == Context.STRUCTURED else Presentation(self.by, self.place)


def open_stream(actor: Actor, stream_id: UUID) -> Opened | None:
    """None for a foreign stream as for a missing one."""
    mine = Run.objects.visible_to(actor).select_related("answer__parent", "document")
    run = mine.filter(stream_id=stream_id).first()
    if run is None:
        return None
    by = by_of(run, labels_of([run.served_model or run.requested_model]))
    if run.document is not None:
        return Opened(run, desk_of(run, run.document), by)
    if run.answer is None and run.input.get("what") != "title":
        return Opened(run, None, by)
    if run.answer is None or run.conversation_id is None:
        return None
    asked = run.answer.parent is not None and run.answer.parent.role == Message.Role.USER
    return Opened(run, place_of(run.conversation_id, run.answer, asked), by)


async def frames_of(opened: Opened, after: int) -> AsyncIterator[list[Frame]]:
    """Groups of frames from sequence `after` to the end of the stream; the last frame of each carries its sequence.

    A viewer that has nothing (`after` 0) gets a snapshot first. Every reader replays the journal from its start, so
    the state behind the frames is the same whatever the viewer has seen.
    """
    presentation = opened.presentation()
    synced = False
    with Reader(opened.run.stream_id) as reader:
        while not reader.ended:
            entries = await reader.take(QUIET_SECONDS)
            if not entries:
                continue
            frames, synced = await _advance(presentation, entries, after, synced)
            if presentation.terminal:
                frames += await _last(presentation, opened)
            if frames:
                frames[-1]["q"] = presentation.sequence
                yield frames


async def _advance(
    presentation: Presentation | Sheet, entries: list[Entry], after: int, synced: bool
) -> tuple[list[Frame], bool]:
    """Feed entries; returns the frames to send and whether the viewer is in step from now on."""
    seen = [entry for entry in entries if not synced and entry.sequence <= after]
    fresh = entries[len(seen) :]
    await _feed(presentation, seen)
    frames = await _feed(presentation, fresh)
    if synced:
        return frames, True
    if after == 0:
        return [presentation.snapshot()], True
    return frames, bool(fresh)


async def _feed(presentation: Presentation | Sheet, entries: list[Entry]) -> list[Frame]:
    if not entries:
        return []
    keys = [str(each.data.get("model", "")) for each in entries if each.event_type == "status"]
    labels = await in_db(labels_of, keys) if any(keys) else {}
    if sum(len(str(entry.data.get("delta", ""))) for entry in entries) > HEAVY_CHARS:
        return await asyncio.to_thread(presentation.feed, entries, labels)
    return presentation.feed(entries, labels)


async def _last(presentation: Presentation | Sheet, opened: Opened) -> list[Frame]:
    run, by = await in_db(_ended, opened.run.pk)
    if isinstance(presentation, Sheet):
        return presentation.end(run, by)
    if presentation.place is None:
        return presentation.end(run, by, tools(run) if run.context == Context.SUMMARY else "")
    return presentation.end(run, by, footer(presentation.route, run, presentation.place))


def _ended(run_id: UUID) -> tuple[Run, By]:
    run = Run.objects.get(pk=run_id)
    return run, by_of(run, labels_of([run.served_model or run.requested_model]), children_of([run]).get(run.pk, []))


def title_of(actor: Actor, conversation_id: UUID) -> str:
    """What a conversation is called now; empty when it is gone."""
    visible = Conversation.objects.visible_to(actor).filter(pk=conversation_id)
    return visible.values_list("title", flat=True).first() or ""


def new_turns(actor: Actor, conversation_id: UUID, since: datetime) -> list[tuple[datetime, Frame]]:
    """A `turn` frame for every run whose answer was made after `since`, and when that was."""
    newer = Run.objects.visible_to(actor).filter(conversation_id=conversation_id, answer__created_at__gt=since)
    found = []
    for run in newer.select_related("answer").order_by("answer__created_at"):
        if run.answer is not None:
            parent, html = added(run)
            made = run.answer.created_at
            frame = {"t": "turn", "parent": str(parent) if parent else "", "html": html, "at": made.isoformat()}
            found.append((made, frame))
    return found
