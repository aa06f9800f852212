"""Wake-ups inside this process, from whoever writes a stream to whoever reads it; nothing correct depends on them."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from chat.protocol import Entry

MAILBOX_BATCHES = 64

type Batch = tuple[Entry, ...]


class Mailbox:
    """One reader's place for batches. An empty batch is a hint that the database holds something new.

    A reader that lags loses the oldest batches, sees the gap, and reads the database.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._batches: deque[Batch] = deque(maxlen=MAILBOX_BATCHES)
        self._arrived = asyncio.Event()

    def deliver(self, batch: Batch) -> None:
        """Put a batch in, from any thread. Does nothing once the reader's loop has ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, batch)

    def _put(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._arrived.set()

    async def get(self, seconds: float) -> Batch | None:
        """The next batch, or None when nothing came within `seconds`."""
        if not self._batches:
            self._arrived.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        return self._batches.popleft()


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
        with _lock:
            readers = _mailboxes[topic]
            readers.discard(mailbox)
            if not readers:
                del _mailboxes[topic]


def publish(topic: str, batch: Batch = ()) -> None:
    """Give a batch (or a hint) to every reader of the topic in this process."""
    with _lock:
        readers = tuple(_mailboxes.get(topic, ()))
    for mailbox in readers:
        mailbox.deliver(batch)


def readers() -> int:
    """How many mailboxes are open; a figure for health pages and leak tests."""
    with _lock:
        return sum(len(each) for each in _mailboxes.values())
