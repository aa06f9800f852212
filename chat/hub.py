"""Wake-ups inside this process, from whoever writes a stream to whoever reads it; nothing correct depends on them."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from chat.protocol import Entry

MAILBOX_BATCHES = 64

type Batch = tuple[Entry, ...]


class Mailbox:
    """One reader's place for batches. An empty batch is a hint that the database holds something new.

    A reader that lags loses the oldest batches, sees the gap, and reads the database.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._batches: deque[Batch] = deque(maxlen=MAILBOX_BATCHES)
        self._waiting: asyncio.Future[None] | None = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def put(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._rouse()

    def _rouse(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _look(self) -> None:
        """One timer for many waits: most are over long before their time, and a timer costs more than a wait."""
        self._timer = None
        if self._waiting is not None and self.loop.time() < self._until:
            self._timer = self.loop.call_at(self._until, self._look)
        else:
            self._rouse()

    def _wait_until(self, moment: float) -> None:
        if self._timer is not None and moment < self._timer.when():
            self._timer.cancel()
            self._timer = None
        self._until = moment
        self._timer = self._timer or self.loop.call_at(moment, self._look)

    async def get(self, seconds: float) -> list[Batch]:
        """Every batch that has come, waiting up to `seconds` for the first; none when nothing came."""
        if not self._batches:
            self._waiting = self.loop.create_future()
            self._wait_until(self.loop.time() + seconds)
            try:
                await self._waiting
            finally:
                self._waiting = None
        batches = list(self._batches)
        self._batches.clear()
        return batches


_lock = threading.Lock()
_mailboxes: dict[str, set[Mailbox]] = {}


@contextmanager
def subscribe(topic: str) -> Iterator[Mailbox]:
    """A mailbox for one topic: a stream id, or `conversation:<id>`."""
    mailbox = Mailbox()
    with _lock:
        _mailboxes.setdefault(topic, set()).add(mailbox)
    try:
        yield mailbox
    finally:
        mailbox.close()
        with _lock:
            readers = _mailboxes[topic]
            readers.discard(mailbox)
            if not readers:
                del _mailboxes[topic]


def publish(topic: str, batch: Batch = ()) -> None:
    """Give a batch (or a hint) to every reader of the topic in this process; from any thread."""
    publish_all([(topic, batch)])


def publish_all(batches: Iterable[tuple[str, Batch]]) -> None:
    """The same for many topics at once: each loop that reads any of them is woken once. A wake-up costs more than what
    it brings."""
    bound: dict[asyncio.AbstractEventLoop, list[tuple[Mailbox, Batch]]] = {}
    with _lock:
        for topic, batch in batches:
            for mailbox in _mailboxes.get(topic, ()):
                bound.setdefault(mailbox.loop, []).append((mailbox, batch))
    for loop, deliveries in bound.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_deliver, deliveries)


def _deliver(deliveries: list[tuple[Mailbox, Batch]]) -> None:
    for mailbox, batch in deliveries:
        mailbox.put(batch)


def readers() -> int:
    """How many mailboxes are open; a figure for health pages and leak tests."""
    with _lock:
        return sum(len(each) for each in _mailboxes.values())
