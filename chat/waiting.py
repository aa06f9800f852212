"""Waiting for a run to end inside one ordinary request, for clients that want no stream."""

import asyncio
import threading
from uuid import UUID

from asgiref.sync import async_to_sync
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from chat.journal import follow
from chat.models import Run

WAIT = OpenApiParameter(
    "wait",
    bool,
    description="With 1, answer only when the run has ended, within 60 seconds: 200 with what it gave or its error. A "
    "run that takes longer is answered with 202 all the same.",
)

LONGEST_SECONDS = 60.0
# Each one keeps a thread of this process; who comes after them polls.
_room = threading.BoundedSemaphore(24)


def waited(request: Request, run: Run) -> bool:
    """Whether the client asked to wait, and the run has ended now."""
    if request.query_params.get("wait", "") not in {"1", "true"}:
        return False
    wait(run.stream_id)
    run.refresh_from_db(fields=["state"])
    return run.state not in Run.ACTIVE


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
