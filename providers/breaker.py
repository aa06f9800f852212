"""When to stop asking what keeps failing: one circuit as a pure state machine. What counts as failing is `guard`'s."""

import enum
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 5
SHARE = 0.5
WINDOW_SECONDS = 30.0
SHORTEST_SECONDS = 15.0
LONGEST_SECONDS = 300.0
# What a caller is told while somebody else's probe is out.
PROBE_SECONDS = 1.0


class Outcome(enum.Enum):
    """What a call says about the circuit: it works, it is broken, or nothing (a cancellation, a bad request)."""

    ANSWERED = "answered"
    FAILED = "failed"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Permit:
    """One call that was let through. It counts for the era in which it began: what started before the circuit opened
    neither closes it nor keeps it open."""

    era: int


class Open(Exception):
    """Nothing goes out for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"open for {seconds:.1f} s")
        self.seconds = seconds


class Breaker:
    """Opens at 5 failures that are half of all calls in 30 s, for 15 s; then one call probes: its failure doubles the
    time, up to 5 minutes, its answer closes the circuit.

    `clock` gives seconds. Not safe between threads by itself.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: deque[tuple[float, bool]] = deque()
        self._era = 0
        self._seconds = 0.0
        self._until: float | None = None
        self._probing = False

    @property
    def state(self) -> str:
        """`closed`, `open`, or `half_open` when the next call may probe, or does."""
        if self._until is None:
            return "closed"
        return "open" if self._clock() < self._until else "half_open"

    @property
    def idle(self) -> bool:
        """Whether what it remembers no longer matters: nobody has called for long."""
        if self._until is not None:
            return self._clock() > self._until + LONGEST_SECONDS
        return not self._calls or self._calls[-1][0] <= self._clock() - WINDOW_SECONDS

    def admit(self) -> Permit:
        """Let one call through; settle its permit whatever becomes of it. Raises `Open`."""
        if self._until is not None:
            left = self._until - self._clock()
            if left > 0 or self._probing:
                raise Open(max(left, PROBE_SECONDS))
            self._probing = True
        return Permit(self._era)

    def settle(self, permit: Permit, outcome: Outcome, *, retry_after: float = 0.0, at_once: bool = False) -> None:
        """Say how a call went. `retry_after`, in seconds, is how long the circuit opens at least if this opens it;
        with `at_once` it opens now."""
        if permit.era != self._era:
            return
        if self._until is not None:
            self._probed(outcome, retry_after)
        elif outcome is not Outcome.NEITHER:
            self._note(failed=outcome is Outcome.FAILED)
            if outcome is Outcome.FAILED and (at_once or self._failing()):
                self._open(SHORTEST_SECONDS, retry_after)

    def _probed(self, outcome: Outcome, retry_after: float) -> None:
        self._probing = False
        if outcome is Outcome.ANSWERED:
            self._until, self._seconds = None, 0.0
            self._calls.clear()
            self._era += 1
        elif outcome is Outcome.FAILED:
            self._open(self._seconds * 2, retry_after)

    def _open(self, seconds: float, retry_after: float) -> None:
        self._seconds = min(seconds, LONGEST_SECONDS)
        self._until = self._clock() + min(max(self._seconds, retry_after), LONGEST_SECONDS)
        self._probing = False
        self._era += 1

    def _note(self, *, failed: bool) -> None:
        now = self._clock()
        self._calls.append((now, failed))
        while self._calls[0][0] <= now - WINDOW_SECONDS:
            self._calls.popleft()

    def _failing(self) -> bool:
        failures = sum(failed for _, failed in self._calls)
        return failures >= FAILURES and failures >= SHARE * len(self._calls)
