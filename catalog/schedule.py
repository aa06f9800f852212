"""Keeps the catalog fresh from a thread with a loop of its own: at start, every half hour, and when a key changed."""

import logging
import random
import threading
from datetime import timedelta
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
    """One a process. `wanted` holds the providers whose key changed since the last round."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: set[str] = set()
        self.loop = OwnLoop("catalog", self._keep_fresh)

    def wake(self, provider_id: str) -> None:
        if self.loop.running:
            with self._lock:
                self._wanted.add(provider_id)
            self.loop.wake()

    async def _keep_fresh(self) -> None:
        older_than, retry = JUST_DONE, FIRST_RETRY
        while True:
            well = await self._round(older_than)
            retry = FIRST_RETRY if well else min(retry * 2, INTERVAL)
            older_than = INTERVAL / 2
            # The jitter keeps processes from marching in step.
            await self.loop.rest(INTERVAL * random.uniform(0.9, 1.1) if well else retry)  # noqa: S311

    async def _round(self, older_than: float) -> bool:
        """One look at what is due; whether all of it went well."""
        with self._lock:
            wanted, self._wanted = self._wanted, set()
        try:
            due = wanted | await in_database(stale, older_than)
            outcomes = await sync.sync_all(due) if due else []
        except DatabaseError:
            log.warning("The catalog is not synced: the database is not answering.")
            with self._lock:
                self._wanted |= wanted
            return False
        return not any(outcome.error for outcome in outcomes)


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
