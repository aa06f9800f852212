"""The reading end of a stream for one connection: gathers what is published while the connection is busy sending."""

import asyncio
from types import TracebackType
from typing import Self
from uuid import UUID

from chat.journal import follow
from chat.protocol import Entry


class Reader:
    """`async with Reader(stream_id, after) as reader`, then `take` until `ended`. The caller has authorised it."""

    def __init__(self, stream_id: UUID, after: int = 0) -> None:
        self._entries: list[Entry] = []
        self._arrived = asyncio.Event()
        self._source = follow(stream_id, after)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read())
        self._task.add_done_callback(lambda _: self._arrived.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()  # seen: whoever took the entries was told, or has left
        await self._source.aclose()  # type: ignore[attr-defined]

    async def _read(self) -> None:
        async for batch in self._source:
            self._entries += batch
            self._arrived.set()

    @property
    def ended(self) -> bool:
        """Nothing is left and nothing will come."""
        return self._task.done() and not self._entries

    async def take(self, seconds: float) -> list[Entry]:
        """Everything that has arrived, waiting up to `seconds` for the first of it; empty when nothing came.

        Raises what reading raised, for example OperationalError when the database is away.
        """
        if not self._entries and not self._task.done():
            self._arrived.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        if self._task.done() and not self._entries:
            self._task.result()
        taken, self._entries = self._entries, []
        return taken
