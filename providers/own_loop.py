"""A thread with an event loop of its own, for work that goes on beside the requests; what the work is, others say."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

from django.db import connections

from providers import checks
from providers.database import in_database


class OwnLoop:
    """One thread a process, started at most once at a time; `work` goes on until `stop` cancels it."""

    def __init__(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._name, self._work = name, work
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._bell = asyncio.Event()

    @property
    def running(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """End the work's `rest`; from any thread."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._bell.set)

    def stop(self) -> None:
        """End the thread and wait for it; what is under way is given up."""
        with self._lock:
            thread, self._thread = self._thread, None
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)
        if thread is not None:
            thread.join(timeout=10)

    async def rest(self, seconds: float) -> None:
        """Within the work: until the time is over or somebody wakes it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        self._bell.clear()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(checks.and_close(self._begin()))

    async def _begin(self) -> None:
        """The loop is reachable from other threads exactly as long as this runs."""
        with self._lock:
            if self._thread is None:
                return
            self._loop, self._task, self._bell = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
        try:
            await self._work()
        finally:
            with self._lock:
                self._loop = self._task = None
            await in_database(connections.close_all)
