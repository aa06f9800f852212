"""Keeps the catalog fresh from a thread with a loop of its own: at start, every half hour, and when a key changed."""

import asyncio
import logging
import random
import threading
from collections import Counter
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from catalog import sync
from catalog.models import ProviderSync
from providers import registry
from providers.database import in_database
from providers.own_loop import OwnLoop

log = logging.getLogger(__name__)

INTERVAL = 30 * 60.0
# At start the lists are read unless another process has just done so; later, once an interval is enough for all.
JUST_DONE = 60.0
FIRST_RETRY = 1.0


class Schedule:
    """One a process. Every provider is read in a task of its own and has its own next time, so one that hangs or fails
    is asked less and less often and delays nobody. `wanted` holds the providers whose key changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: set[str] = set()
        self._busy: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._next: dict[str, float] = {}
        self.loop = OwnLoop("catalog", self._keep_fresh)

    def wake(self, provider_id: str) -> None:
        if self.loop.running:
            with self._lock:
                self._wanted.add(provider_id)
            self.loop.wake()

    async def _keep_fresh(self) -> None:
        self._busy, self._failures, self._next = set(), Counter(), {}
        older_than, pause = JUST_DONE, FIRST_RETRY
        async with asyncio.TaskGroup() as reading:
            while True:
                try:
                    names = await self._due(older_than)
                except DatabaseError:
                    log.warning("The catalog is not synced: the database is not answering.")
                    await self.loop.rest(pause)
                    pause = min(pause * 2, INTERVAL)
                    continue
                older_than, pause = INTERVAL / 2, FIRST_RETRY
                for name in names:
                    self._busy.add(name)
                    reading.create_task(self._read(name))
                await self.loop.rest(self._pause())

    async def _due(self, older_than: float) -> set[str]:
        """Whose list is to be read now. A provider whose key changed does not wait for its time."""
        now = monotonic()
        late = await in_database(stale, older_than)
        with self._lock:
            wanted = self._wanted - self._busy
            self._wanted -= wanted
        return {name for name in late - self._busy if self._next.get(name, 0.0) <= now} | wanted

    async def _read(self, name: str) -> None:
        try:
            failed = bool((await sync.sync_provider(name)).error)
        except DatabaseError:
            failed = True
        self._failures[name] = self._failures[name] + 1 if failed else 0
        # The jitter keeps processes from marching in step.
        steady = INTERVAL * random.uniform(0.9, 1.1)  # noqa: S311
        wait = min(FIRST_RETRY * 2.0 ** min(self._failures[name], 20), INTERVAL) if failed else steady
        self._next[name] = monotonic() + wait
        self._busy.discard(name)
        self.loop.wake()

    def _pause(self) -> float:
        """Seconds until somebody's time has come; one that is being read wakes the loop when it is done."""
        soonest = min((at for name, at in self._next.items() if name not in self._busy), default=monotonic() + INTERVAL)
        return max(0.05, soonest - monotonic())


def stale(older_than: float) -> set[str]:
    """The available providers whose list nobody has read with success within so many seconds."""
    limit = timezone.now() - timedelta(seconds=older_than)
    fresh = set(
        ProviderSync.objects.filter(finished_at__gte=limit, error_code="").values_list("provider_id", flat=True)
    )
    return {provider.provider_id for provider in registry.available()} - fresh


_schedule = Schedule()


def start_in_background() -> None:
    """Start the thread of this process; once. Returns at once."""
    _schedule.loop.start()


def wake(provider_id: str) -> None:
    """Read this provider's list soon. Does nothing in a process that keeps no schedule."""
    _schedule.wake(provider_id)


def stop() -> None:
    _schedule.loop.stop()


def on_change(sender: Any, provider_id: str, **_: Any) -> None:
    """A key was stored or removed: its provider may list other models now."""
    wake(provider_id)
