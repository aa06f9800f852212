"""Waiting for a run to end inside one ordinary request, for clients that want no stream."""

import asyncio
import threading
from uuid import UUID

from asgiref.sync import async_to_sync

from chat.journal import follow

LONGEST_SECONDS = 60.0
# Each one keeps a thread of this process; who comes after them polls.
_room = threading.BoundedSemaphore(24)


def wait(stream_id: UUID, seconds: float = LONGEST_SECONDS) -> None:
    """Return when the run has ended, when the time is over, or at once when too many wait here already."""
    if not _room.acquire(blocking=False):
        return
    try:
        async_to_sync(_end_of)(stream_id, seconds)
    finally:
        _room.release()


async def _end_of(stream_id: UUID, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            async for _ in follow(stream_id):
                pass
    except TimeoutError:
        return
