"""Executes runs: claims what is queued, drives the provider, writes the journal, keeps the lease, closes what lost
processes left. One thread with its own event loop a process, so that any server and any view can hand it work."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from uuid import UUID

from django.db import InterfaceError, OperationalError

from chat import heard, hub, ledger, owner, relay, workshop
from chat.database import in_db
from chat.execution import Outcome, execute
from chat.flows import flow_of, follow_up
from chat.journal import Journal, Writer
from chat.models import Run
from providers.runtime import hang_up

logger = logging.getLogger(__name__)

CAPACITY = 200
CLAIM_SECONDS = 1.0
STOP_SECONDS = 0.4
HEARTBEAT_SECONDS = 2.0
REAP_SECONDS = 2.0
HEARD_SECONDS = 2.0


class Runner:
    """All runs of one process. Everything but `wake` and `request_stop` belongs to the runner's own loop."""

    def __init__(self) -> None:
        self.owner = owner.new()
        self.journal = Journal(self.owner)
        self.active: dict[UUID, asyncio.Task[Outcome]] = {}
        self.stopping: set[UUID] = set()
        self.hearing = heard.Hearing()
        self.draining = False
        self._supervisors: set[asyncio.Task[Outcome]] = set()
        self._children: dict[UUID, set[asyncio.Task[Outcome]]] = {}
        self._woken = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    # ------------------------------------------------------------ from any thread
    def wake(self) -> None:
        self.loop.call_soon_threadsafe(self._woken.set)

    def request_stop(self, run_id: UUID) -> None:
        self.loop.call_soon_threadsafe(self._stop, run_id)

    # ------------------------------------------------------------ on the runner's loop
    async def serve(self, ready: Callable[[], None]) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.journal.write_forever())
            group.create_task(self._every(CLAIM_SECONDS, self._claim, self._woken))
            group.create_task(self._every(STOP_SECONDS, self._stop_what_was_asked))
            group.create_task(self._every(HEARTBEAT_SECONDS, self._renew))
            group.create_task(self._every(REAP_SECONDS, self._reap))
            group.create_task(self._every(HEARD_SECONDS, self.hearing.hand_on))
            group.create_task(relay.listen(self._stop, self._woken.set))
            ready()

    async def _every(
        self, seconds: float, work: Callable[[], Awaitable[None]], woken: asyncio.Event | None = None
    ) -> None:
        """Do a piece of work again and again; a database that is away is waited for, not died of."""
        while True:
            try:
                await work()
            except (OperationalError, InterfaceError) as error:
                logger.warning("the runner waits for the database: %s", type(error).__name__)
            try:
                async with asyncio.timeout(seconds):
                    await (woken.wait() if woken else asyncio.sleep(seconds + 1))
            except TimeoutError:
                pass
            if woken:
                woken.clear()

    async def _claim(self) -> None:
        room = CAPACITY - len(self.active)
        if room <= 0 or self.draining:
            return
        for run in await in_db(ledger.claim, self.owner, room):
            self._launch(run)

    def _launch(self, run: Run) -> asyncio.Task[Outcome]:
        """Run the generation in a task of its own, so that stopping it never cuts the writing of its end."""
        writer = self.journal.open(run.pk, run.stream_id, self._beside)
        generation = asyncio.create_task(execute(run, writer, flow_of(run)), name=f"generation-{run.pk}")
        self.active[run.pk] = generation
        supervisor = asyncio.create_task(self._supervise(run, writer, generation), name=f"run-{run.pk}")
        self._supervisors.add(supervisor)
        supervisor.add_done_callback(self._supervisors.discard)
        return supervisor

    async def _supervise(self, run: Run, writer: Writer, generation: asyncio.Task[Outcome]) -> Outcome:
        watch = asyncio.create_task(self._give_up_when_lost(writer, generation))
        try:
            await asyncio.wait({generation})
            outcome = self._outcome_of(run, generation)
            if children := self._children.pop(run.pk, None):
                await asyncio.wait(children)
            said = heard.of(run, outcome.error)
            await writer.close(outcome.closing(run, writer.fold.parts))
            self.hearing.add(said)
            await self._follow_up(run, outcome)
            return outcome
        finally:
            watch.cancel()
            full = len(self.active) >= CAPACITY
            del self.active[run.pk]
            self.stopping.discard(run.pk)
            if full:
                self._woken.set()

    async def _beside(self, child: Run) -> Outcome:
        """Execute a run that one of ours calls for, to its end. When the caller is cancelled, so is the child; its end
        is written before its parent's."""
        supervisor = self._launch(child)
        if child.parent_id is not None:
            self._children.setdefault(child.parent_id, set()).add(supervisor)
        try:
            return await asyncio.shield(supervisor)
        finally:
            if not supervisor.done():
                self._end_with_parent(child)

    def _end_with_parent(self, child: Run) -> None:
        if child.parent_id in self.stopping:
            self._stop(child.pk)
        else:
            self.active[child.pk].cancel()

    async def _follow_up(self, run: Run, outcome: Outcome) -> None:
        """Runs that this one calls for, such as a title: queued like any other, and lost with a lost database."""
        if outcome.state == Run.State.DONE and not self.draining:
            try:
                await in_db(follow_up, run)
            except (OperationalError, InterfaceError) as error:
                logger.warning("run %s was not followed up: %s", run.pk, type(error).__name__)

    def _outcome_of(self, run: Run, generation: asyncio.Task[Outcome]) -> Outcome:
        if generation.cancelled():
            return Outcome.stopped() if run.pk in self.stopping else Outcome.interrupted()
        return generation.result()

    async def _give_up_when_lost(self, writer: Writer, generation: asyncio.Task[Outcome]) -> None:
        await writer.lost.wait()
        logger.warning("run %s was closed elsewhere", writer.run_id)
        generation.cancel()

    def _stop(self, run_id: UUID) -> None:
        generation = self.active.get(run_id)
        if generation is not None and run_id not in self.stopping:
            self.stopping.add(run_id)
            generation.cancel()

    async def _stop_what_was_asked(self) -> None:
        if self.active:
            for run_id in await in_db(ledger.stops_requested, self.owner):
                self._stop(run_id)

    async def _renew(self) -> None:
        if self.active:
            await in_db(ledger.renew, self.owner, list(self.active))

    async def _reap(self) -> None:
        topics = [str(stream_id) for stream_id in await in_db(ledger.reap, self.owner)]
        for topic in topics:
            hub.publish(topic)
        if topics:
            await relay.announce(topics)

    async def drain(self, seconds: float) -> None:
        """Take nothing new, let what runs finish, then interrupt the rest cleanly."""
        self.draining = True
        if self._supervisors:
            await asyncio.wait(self._supervisors, timeout=seconds)
        for _ in range(5):
            # Again, for whoever was about to take the first one for something else.
            for generation in self.active.values():
                generation.cancel()
            if self._supervisors:
                await asyncio.wait(self._supervisors, timeout=1.5)


_lock = threading.Lock()
_thread: threading.Thread | None = None
_runner: Runner | None = None


def start_in_background() -> None:
    """Start this process's runner once; returns when it takes work."""
    global _thread
    with _lock:
        if _thread is not None and _thread.is_alive():
            return
        ready = threading.Event()
        _thread = threading.Thread(target=_main, args=(ready,), name="runner", daemon=True)
        _thread.start()
        ready.wait(10)
        workshop.open_in_background()


def _main(ready: threading.Event) -> None:
    async def main() -> None:
        global _runner
        _runner = Runner()
        try:
            await _runner.serve(ready.set)
        finally:
            await hang_up()

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as loop:
            loop.run(main())
    except asyncio.CancelledError:
        logger.debug("the runner ended")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed: it costs half of what asyncio's own loop does for every chunk that is read."""
    return import_module("uvloop").new_event_loop if find_spec("uvloop") else None


def name() -> str:
    """Under which this process writes runs."""
    return _runner.owner if _runner is not None else _own_name()


_own_name = cache(owner.new)


def wake() -> None:
    """Say that a run is queued. Without a runner here, another process finds it within a second."""
    if _runner is not None and not _runner.loop.is_closed():
        _runner.wake()


def request_stop(run_id: UUID) -> None:
    """Stop a run if this process writes it; the one that does learns it otherwise."""
    if _runner is not None and not _runner.loop.is_closed():
        _runner.request_stop(run_id)


def drain(seconds: float) -> None:
    """Finish within `seconds`, interrupt the rest, and end the thread. For SIGTERM and tests."""
    global _runner, _thread
    workshop.close()
    with _lock:
        if _runner is None or _thread is None or not _thread.is_alive():
            return
        try:
            asyncio.run_coroutine_threadsafe(_runner.drain(seconds), _runner.loop).result(seconds + 10)
        finally:
            _runner.loop.call_soon_threadsafe(_cancel_all, _runner.loop)
            _thread.join(10)
            _runner = _thread = None


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
