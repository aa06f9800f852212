"""What a call must pass before it goes out: the circuits of its provider and credential, and a free slot for both.

The one state of the runtime. Circuits are shared by all threads of a process; slots belong to an event loop, like the
connections they stand for.
"""

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary, WeakValueDictionary

from providers.breaker import Breaker, Open, Outcome, Permit
from providers.contract import OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.faults import UNEXPECTED, WORDS

# A longer Retry-After is not waited for: it closes the way of this credential until then.
LONGEST_WAIT_SECONDS = 10.0
REMEMBERED = 1000

BUSY_HERE = "busy_here"
BREAKER_OPEN = "breaker_open"
# Failures that say nothing about the provider: ours, and an answer that was merely long.
OURS = frozenset({UNEXPECTED, "pool_exhausted", "total", BUSY_HERE, BREAKER_OPEN})
_UNAVAILABLE = frozenset({ErrorCode.PROVIDER_UNAVAILABLE, ErrorCode.TIMEOUT})
_REFUSED = frozenset(
    {ErrorCode.INVALID_AUTH, ErrorCode.SESSION_EXPIRED, ErrorCode.QUOTA_EXCEEDED, ErrorCode.RATE_LIMITED}
)

type Key = tuple[str, ...]
type Loop = asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls at once, on one event loop, to one provider's address and with one credential there; how long to queue."""

    provider: int = 100
    credential: int = 50
    wait_seconds: float = 2.0


class Circuit:
    """A breaker and the code that an open one answers with: that of the failure counted last."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.breaker = Breaker(clock)
        self.code = ErrorCode.PROVIDER_UNAVAILABLE


type Admitted = tuple[Circuit, Permit]


class Guard:
    """Admits calls. One a process (`runtime.guard`); `forget` gives a fresh start."""

    def __init__(self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._lock = threading.Lock()
        self._salt = os.urandom(16)
        self._circuits: dict[Key, Circuit] = {}
        self._slots: WeakKeyDictionary[Loop, WeakValueDictionary[Key, asyncio.Semaphore]] = WeakKeyDictionary()

    def forget(self) -> None:
        """Drop what is known of every circuit; calls that are out keep their slots."""
        with self._lock:
            self._circuits.clear()

    def states(self) -> dict[Key, str]:
        """Each circuit that is not closed, by (provider, address) or (provider, address, digest of a secret)."""
        with self._lock:
            found = {key: circuit.breaker.state for key, circuit in self._circuits.items()}
        return {key: state for key, state in found.items() if state != "closed"}

    def call(self, credential: OpenCredential) -> "Call":
        """One call with this credential, to be entered with `async with`."""
        place = (credential.provider_id, credential.base_url)
        # The secret itself, not its row: a key that was replaced starts afresh.
        secret = credential.secret.reveal().encode()
        digest = hashlib.blake2b(secret, key=self._salt, digest_size=12).hexdigest()
        return Call(self, credential.provider_id, place, (*place, digest))

    # ------------------------------------------------------------ circuits
    def admit(self, key: Key, provider_id: str) -> Admitted:
        """Raises `ProviderError` at once while the circuit is open."""
        with self._lock:
            circuit = self._circuit(key)
            try:
                return circuit, circuit.breaker.admit()
            except Open as refused:
                raise _open(circuit.code, provider_id, refused.seconds) from None

    def answered(self, admitted: Admitted) -> None:
        with self._lock:
            admitted[0].breaker.settle(admitted[1], Outcome.ANSWERED)

    def failed(self, admitted: Admitted, error: ProviderError) -> None:
        """Count a failure that this circuit is for."""
        circuit, permit = admitted
        wait, refused = error.retry_after or 0.0, error.code in _REFUSED
        with self._lock:
            # For one credential a single answer is reason enough; a provider's circuit shuts out everybody.
            at_once = refused and wait > LONGEST_WAIT_SECONDS
            circuit.breaker.settle(permit, Outcome.FAILED, retry_after=wait, at_once=at_once)
            circuit.code = error.code if refused else ErrorCode.PROVIDER_UNAVAILABLE

    def left(self, admitted: Admitted) -> None:
        """The call is over and said nothing (more) about this circuit."""
        with self._lock:
            admitted[0].breaker.settle(admitted[1], Outcome.NEITHER)

    def _circuit(self, key: Key) -> Circuit:
        circuit = self._circuits.get(key)
        if circuit is None:
            if len(self._circuits) >= REMEMBERED:
                for idle in [each for each, one in self._circuits.items() if one.breaker.idle]:
                    del self._circuits[idle]
            circuit = self._circuits[key] = Circuit(self._clock)
        return circuit

    # ------------------------------------------------------------ slots
    def slots(self, key: Key, limit: int) -> asyncio.Semaphore:
        """The running loop's slots for `key`; they live as long as somebody holds or awaits one."""
        with self._lock:
            mine = self._slots.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
            found = mine.get(key)
            if found is None:
                found = mine[key] = asyncio.Semaphore(limit)
            return found


class Call:
    """One call on its way: inside, it holds its slots and permits; it gives all of them back however it ends."""

    def __init__(self, guard: Guard, provider_id: str, place: Key, credential: Key) -> None:
        self._guard = guard
        self._provider_id = provider_id
        self._place, self._credential = place, credential
        self._held = AsyncExitStack()
        self._admitted: list[Admitted] = []

    async def __aenter__(self) -> Self:
        """Raises `ProviderError`: an open circuit at once, `rate_limited`/`busy_here` when no slot came free."""
        async with AsyncExitStack() as held:
            for key in (self._place, self._credential):
                admitted = self._guard.admit(key, self._provider_id)
                held.callback(self._guard.left, admitted)
                self._admitted.append(admitted)
            await self._queue(held)
            self._held = held.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if isinstance(error, ProviderError) and error.detail not in OURS:
            for admitted, codes in zip(self._admitted, (_UNAVAILABLE, _REFUSED), strict=True):
                if error.code in codes:
                    self._guard.failed(admitted, error)
        # Nothing in there waits, so a call that is cancelled gives back all it had.
        await self._held.aclose()

    def answered(self) -> None:
        """Content has come: provider and credential work."""
        for admitted in self._admitted:
            self._guard.answered(admitted)

    async def _queue(self, held: AsyncExitStack) -> None:
        limits = self._guard.limits
        try:
            async with asyncio.timeout(limits.wait_seconds):
                # Its own limit first: a credential with many calls queues there and takes no place in the common queue.
                await held.enter_async_context(self._guard.slots(self._credential, limits.credential))
                await held.enter_async_context(self._guard.slots(self._place, limits.provider))
        except TimeoutError:
            raise _busy(self._provider_id) from None


def _open(code: ErrorCode, provider_id: str, seconds: float) -> ProviderError:
    wait = max(1, round(seconds))
    words = f"{WORDS[code]} It is asked again in {wait} s."
    return ProviderError(code, words, provider_id=provider_id, detail=BREAKER_OPEN, retry_after=float(wait))


def _busy(provider_id: str) -> ProviderError:
    words = "Too many answers are being written here at the moment; the provider was not asked."
    return ProviderError(ErrorCode.RATE_LIMITED, words, provider_id=provider_id, detail=BUSY_HERE, retry_after=5.0)
