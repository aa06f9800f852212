"""Ends answers that are passed through: when somebody stopped them, and when whoever asked may no longer read them.

One task on each event loop looks, for all answers of that loop together.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from itertools import groupby
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import InterfaceError, OperationalError

from accounts.actors import Scope, still
from accounts.policies import Actor
from accounts.problems import Problem
from chat.database import in_db
from chat.models import Run

logger = logging.getLogger(__name__)

SCOPE = "chat"
STOP_SECONDS, GUARD_SECONDS = 0.4, 3.0


def no_token() -> Problem:
    return Problem(401, "invalid_token", "This API token is not valid.", "Create one under Settings, API tokens.")


def stopped() -> Problem:
    # A status that no client answers by asking again.
    return Problem(410, "stopped", "This answer was stopped.")


class Leash:
    """Lets another task of the same loop end an answer, whatever it waits for."""

    def __init__(self, run_id: UUID, actor: Actor, scope: Scope) -> None:
        self.run_id, self.actor, self.scope = run_id, actor, scope
        self._problem: Problem | None = None
        self._reader: asyncio.Task[object] | None = None

    def pull(self, problem: Problem) -> None:
        if self._problem is None:
            self._problem = problem
            if self._reader is not None:
                self._reader.cancel()

    async def next[T](self, stream: AsyncGenerator[T]) -> T | None:
        """The next of `stream`, None at its end. Raises the Problem that it was ended with."""
        if self._problem is not None:
            raise self._problem
        self._reader = asyncio.current_task()
        try:
            return await anext(stream, None)
        except asyncio.CancelledError:
            if self._problem is None or (self._reader and self._reader.uncancel()):
                raise
            raise self._problem from None
        finally:
            self._reader = None


class Watch:
    """The answers of one loop, and the task that looks after them while there are any."""

    def __init__(self) -> None:
        self.held: set[Leash] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, leash: Leash) -> None:
        self.held.add(leash)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look(), name="gateway-watch")

    async def _look(self) -> None:
        checked = time.monotonic()
        while self.held:
            await asyncio.sleep(STOP_SECONDS)
            try:
                await self._stop_what_was_asked()
                if time.monotonic() - checked >= GUARD_SECONDS:
                    checked = time.monotonic()
                    await self._end_what_is_forbidden()
            except (OperationalError, InterfaceError) as error:
                logger.warning("passed answers wait for the database: %s", type(error).__name__)

    async def _stop_what_was_asked(self) -> None:
        asked = await in_db(_stops_requested, [leash.run_id for leash in self.held])
        for leash in list(self.held):
            if leash.run_id in asked:
                leash.pull(stopped())

    async def _end_what_is_forbidden(self) -> None:
        """Each token is looked up once, however many answers it has."""
        for _, same in groupby(sorted(self.held, key=_token), key=_token):
            leashes = list(same)
            if await still(leashes[0].actor, leashes[0].scope, SCOPE) is None:
                for leash in leashes:
                    leash.pull(no_token())


def _token(leash: Leash) -> list[tuple[bytes, bytes]]:
    return leash.scope["headers"]


def _stops_requested(ids: list[UUID]) -> set[UUID]:
    rows = Run.objects.filter(pk__in=ids, stop_requested_at__isnull=False)
    return set(rows.values_list("pk", flat=True))


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


@contextmanager
def over(run: Run, actor: Actor, scope: Scope) -> Iterator[Leash]:
    """While inside, the run can be stopped, and ends within five seconds of its token."""
    watch = _watches.setdefault(asyncio.get_running_loop(), Watch())
    leash = Leash(run.pk, actor, scope)
    watch.add(leash)
    try:
        yield leash
    finally:
        watch.held.discard(leash)
