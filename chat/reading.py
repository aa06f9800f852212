"""The reading end of a stream for one connection: from memory while it keeps up, from the database when it does not."""

import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self
from uuid import UUID

from chat import hub
from chat.database import in_db
from chat.ledger import READ_LIMIT, read
from chat.protocol import Entry

# A wake-up that was lost makes a reader late by so much.
POLL_SECONDS = 1.0


class Reader:
    """`with Reader(stream_id, after) as reader`, then `take` until `ended`. The caller has authorised it.

    What is published while the connection is busy sending gathers in the mailbox.
    """

    def __init__(self, stream_id: UUID, after: int = 0) -> None:
        self.ended = False
        self._stream_id = stream_id
        self._last = after
        self._behind = True
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._mailbox = self._open.enter_context(hub.subscribe(str(self._stream_id)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    async def take(self, seconds: float) -> list[Entry]:
        """The entries that follow, in order, none twice, none left out; empty when nothing came within `seconds`.

        Raises OperationalError or InterfaceError when the database is away.
        """
        until = time.monotonic() + seconds
        entries: list[Entry] = []
        while not entries and not self.ended:
            left = until - time.monotonic()
            if not self._behind and left <= 0:
                break
            entries = await self._stored() if self._behind else await self._published(min(left, POLL_SECONDS))
        if entries:
            self._last = entries[-1].sequence
            self.ended = self.ended or entries[-1].terminal
        return entries

    async def _stored(self) -> list[Entry]:
        entries, more = await in_db(read, self._stream_id, self._last)
        self._behind = len(entries) == READ_LIMIT
        self.ended = not more
        return entries

    async def _published(self, seconds: float) -> list[Entry]:
        """What continues from where we are; nothing when only the database can tell."""
        batches = await self._mailbox.get(seconds)
        fresh = [entry for batch in batches for entry in batch if entry.sequence > self._last]
        in_step = all(entry.sequence == number for number, entry in enumerate(fresh, self._last + 1))
        self._behind = not batches or () in batches or not in_step
        return fresh if in_step else []
