"""Starting, stopping and keeping drills: each runs in a thread with a loop of its own, one at a time in an
installation."""

import asyncio
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
from django.db import IntegrityError, close_old_connections, connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from providers import policies
from providers.children import Child, ChildFailed
from providers.database import in_database
from providers.drills.bed import PROVIDERS, Bed, Order
from providers.drills.scenarios import play
from providers.models import Drill

FEWEST_STREAMS, MOST_STREAMS, STREAMS = 8, 50, 20
DRILLS_AN_HOUR = 10
SANDBOX_SECONDS = 30.0
LONGEST_SECONDS = 120.0
BEAT_SECONDS = 1.0
# A drill whose process has not been heard of for so long is over.
SILENCE = timedelta(seconds=15)


# ---------------------------------------------------------------- what doors call
def start(actor: Actor, *, provider_id: str, kind: str, streams: int = STREAMS) -> Drill:
    """Begin a drill and return its row at once. Raises `Problem`."""
    policies.require_drills(actor)
    check(provider_id, kind, streams)
    close_lost()
    _spare()
    order = Order(provider_id, kind, streams)
    try:
        with transaction.atomic():
            row = Drill.objects.create(
                workspace_id=actor.workspace_id,
                user_id=actor.user_id,
                provider_id=provider_id,
                kind=kind,
                streams=streams,
                beat_at=timezone.now(),
            )
            audit.note(actor, "drill.started", str(row), streams=streams)
    except IntegrityError:
        raise running() from None
    transaction.on_commit(lambda: _running.begin(row.pk, order))
    return row


def stop(actor: Actor, drill_id: UUID) -> Drill:
    """Ask a drill to end, whichever process runs it; it does within seconds. Raises `Problem` 404."""
    row = seen(actor, drill_id)
    ask_to_stop(row)
    return row


def ask_to_stop(row: Drill) -> None:
    """For doors that have found the row themselves; a drill that has ended stays as it is."""
    Drill.objects.filter(pk=row.pk, state=Drill.State.RUNNING).update(stop_requested=True)


def seen(actor: Actor, drill_id: UUID) -> Drill:
    """A drill that this person may see. Raises `Problem` 403 for who runs none, else 404."""
    policies.require_drills(actor)
    close_lost()
    row = visible(actor).filter(pk=drill_id).first()
    if row is None:
        raise not_found()
    return row


def visible(actor: Actor) -> QuerySet[Drill]:
    rows: QuerySet[Drill] = Drill.objects.visible_to(actor)
    return rows


def close_lost() -> None:
    """Call interrupted what was lost with its process."""
    lost = Drill.objects.filter(state=Drill.State.RUNNING, beat_at__lt=timezone.now() - SILENCE)
    lost.update(state=Drill.State.INTERRUPTED, ended_at=timezone.now())


def check(provider_id: str, kind: str, streams: int) -> None:
    """Raises `Problem` 422 with the field that makes no sense."""
    if provider_id not in PROVIDERS:
        raise _refused("provider_id", f"The sandbox speaks for {', '.join(PROVIDERS)}.")
    if kind not in Drill.Kind.values:
        raise _refused("kind", f"There are {', '.join(Drill.Kind.values)}.")
    if not FEWEST_STREAMS <= streams <= MOST_STREAMS:
        raise _refused("streams", f"Choose {FEWEST_STREAMS} to {MOST_STREAMS} streams.")


def _refused(field: str, text: str) -> Problem:
    return Problem(422, "invalid_drill", "There is no such drill.", text, field=field)


def running() -> Problem:
    return Problem(409, "drill_running", "A drill is running.", "Wait until it has ended, or stop it.")


def _spare() -> None:
    """A drill takes a share of the machine, so an hour has room for a few."""
    now = timezone.now()
    recent = Drill.objects.filter(created_at__gt=now - timedelta(hours=1)).order_by("created_at")
    times = list(recent.values_list("created_at", flat=True))
    if len(times) >= DRILLS_AN_HOUR:
        wait = max(1, round((times[-DRILLS_AN_HOUR] + timedelta(hours=1) - now).total_seconds()))
        text = f"{DRILLS_AN_HOUR} have run in the last hour. The next one can start in {-(-wait // 60)} min."
        raise Problem(429, "throttled", "Too many drills.", text, retry_after=wait)


# ---------------------------------------------------------------- the thread
class Running:
    """The drill of this process, if one runs here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._leaving = threading.Event()

    def begin(self, drill_id: UUID, order: Order) -> None:
        with self._lock:
            self._leaving.clear()
            self._thread = threading.Thread(
                target=_drill, args=(drill_id, order, self._leaving), name="drill", daemon=True
            )
            self._thread.start()

    def leave(self) -> None:
        """End the drill, because the process ends; it is interrupted."""
        self._leaving.set()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=10)


_running = Running()


def leave() -> None:
    _running.leave()


@dataclass(frozen=True, slots=True)
class End:
    state: str
    problem: str = ""


def _drill(drill_id: UUID, order: Order, leaving: threading.Event) -> None:
    """The whole life of a drill; however it ends, its row says so and its sandbox is gone."""
    end, bed = End(Drill.State.INTERRUPTED), None
    secret = secrets.token_urlsafe(24)
    command = ("-m", "providers.sandbox", "--port", "0", "--pace", "0", "--lifeline")
    try:
        child = Child("drill's sandbox", *command, PARLEY_SANDBOX_SECRET=secret)
        try:
            bed = Bed(order, child.announcement(SANDBOX_SECONDS)["url"], secret)
            end = asyncio.run(_play(bed, drill_id, leaving))
        finally:
            child.end()
    except ChildFailed:
        end = End(Drill.State.FAILED, "The drill's sandbox did not start.")
    finally:
        close_old_connections()
        _keep(drill_id, bed, state=end.state, problem=end.problem, ended_at=timezone.now())
        connections.close_all()


async def _play(bed: Bed, drill_id: UUID, leaving: threading.Event) -> End:
    """Play the drill and tell its row of it every second, until it is over or somebody ends it."""
    work = asyncio.ensure_future(play(bed))
    clock = asyncio.get_running_loop().time
    until = clock() + LONGEST_SECONDS
    end = End(Drill.State.INTERRUPTED)
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=BEAT_SECONDS)
            if leaving.is_set():
                return end
            if clock() > until:
                return End(Drill.State.FAILED, f"It did not end within {LONGEST_SECONDS:.0f} s.")
            if not await in_database(_keep, drill_id, bed):
                return End(Drill.State.STOPPED)
        work.result()
        return End(Drill.State.PASSED if bed.report.passed else Drill.State.FAILED)
    except httpx2.HTTPError:
        return End(Drill.State.FAILED, "The drill's sandbox stopped answering.")
    finally:
        work.cancel()
        await asyncio.wait({work})
        await in_database(connections.close_all)


def _keep(drill_id: UUID, bed: Bed | None, **ended: Any) -> bool:
    """Write how far it is; whether it may go on."""
    report = bed.report.as_json(bed.order.provider_id) if bed else {}
    mine = Drill.objects.filter(pk=drill_id, state=Drill.State.RUNNING)
    kept = mine.update(beat_at=timezone.now(), report=report, **ended)
    return bool(kept) and not Drill.objects.filter(pk=drill_id, stop_requested=True).exists()
