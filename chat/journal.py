"""The ordered log of each run: numbered and committed in one transaction for all runs of a process, then published.
Reading it is `follow`; what happens in a run is the runner's business."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError

from chat import hub, relay
from chat.database import in_writer
from chat.ledger import Closing, LeaseLost, Slice, commit, still_open
from chat.models import Run
from chat.protocol import Entry, Fold, join
from chat.reading import Reader

if TYPE_CHECKING:
    from chat.execution import Outcome  # which writes through this module

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 0.05
QUIET_SECONDS = 60.0
RETRY_SECONDS = 30.0

type Beside = Callable[[Run], Awaitable[Outcome]]


async def _alone(run: Run) -> "Outcome":
    raise RuntimeError(f"nobody here executes run {run.pk}")


@dataclass(slots=True)
class Writer:
    """The writing end of one stream: what has been added and not committed yet, and the fold of all of it. `beside`
    executes another run in this process, to its end."""

    run_id: UUID
    stream_id: UUID
    journal: "Journal"
    sequence: int = 0
    fold: Fold = field(default_factory=Fold)
    pending: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    closing: Closing | None = None
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    beside: "Beside" = _alone

    @property
    def owner(self) -> str:
        """The process that writes here."""
        return self.journal.owner

    def add(self, event_type: str, data: dict[str, Any]) -> None:
        """Append one event; it is durable and visible within one window."""
        self.fold.add(event_type, data)
        self.pending.append((event_type, data))
        self.journal.mark(self)

    async def close(self, closing: Closing) -> None:
        """Write the terminal event with the message, and wait until both are durable (or the lease is lost)."""
        self.closing = closing
        self.pending.append((closing.event_type, closing.data))
        self.journal.mark(self)
        await self.closed.wait()

    def take(self) -> Slice:
        """What is pending, joined and numbered; the caller commits it or gives it up."""
        entries = tuple(
            Entry(self.sequence + position, event_type, data)
            for position, (event_type, data) in enumerate(join(self.pending), start=1)
        )
        self.pending = []
        self.sequence += len(entries)
        return Slice(self.run_id, self.stream_id, entries, self.closing)


class Journal:
    """Collects what every writer of this process adds and commits it once a window. Lives on one event loop."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._dirty: dict[UUID, Writer] = {}
        self._wake = asyncio.Event()

    def open(self, run_id: UUID, stream_id: UUID, beside: Beside = _alone) -> Writer:
        return Writer(run_id, stream_id, self, beside=beside)

    def mark(self, writer: Writer) -> None:
        self._dirty[writer.run_id] = writer
        self._wake.set()

    async def write_forever(self) -> None:
        """First event at once, then one commit a window for everything that came in the meantime."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            writers, self._dirty = self._dirty, {}
            began = time.monotonic()
            await self._commit(writers)
            await asyncio.sleep(max(0.0, WINDOW_SECONDS - (time.monotonic() - began)))

    async def _commit(self, writers: dict[UUID, Writer]) -> None:
        slices = [writer.take() for writer in writers.values()]
        written = await self._commit_with_patience(slices)
        kept = {piece.run_id for piece in written}
        hub.publish_all((str(piece.stream_id), piece.entries) for piece in written)
        for run_id, writer in writers.items():
            if run_id not in kept:
                writer.lost.set()
            if writer.closing or run_id not in kept:
                writer.closed.set()
        if written:
            await relay.announce(str(piece.stream_id) for piece in written)

    async def _commit_with_patience(self, slices: list[Slice]) -> list[Slice]:
        """Commit, through restarts of the database; returns the slices whose lease is still ours."""
        give_up = time.monotonic() + RETRY_SECONDS
        pause = 0.05
        while slices:
            try:
                await in_writer(commit, slices, self.owner)
                return slices
            except (IntegrityError, LeaseLost):
                # Somebody closed a run of ours, or an earlier commit did arrive although its answer was lost.
                slices = await in_writer(still_open, slices, self.owner)
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() > give_up:
                    logger.error("the journal gave up after %.0f s without a database", RETRY_SECONDS)
                    return []
                logger.warning("the journal waits for the database: %s", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
        return []


async def follow(stream_id: UUID, after: int = 0) -> AsyncIterator[list[Entry]]:
    """Batches of a stream's entries after sequence `after`, in order, none twice, none left out; ends after the
    terminal entry. The caller has already decided that the reader may see this stream."""
    with Reader(stream_id, after) as reader:
        while not reader.ended:
            if entries := await reader.take(QUIET_SECONDS):
                yield entries


def wake(topics: Iterable[str]) -> None:
    """Tell readers in this process and others that topics changed; for writers that are not the journal."""
    topics = list(topics)
    hub.publish_all((topic, ()) for topic in topics)
    relay.announce_from_thread(topics)
