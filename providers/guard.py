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
_OURS = frozenset({UNEXPECTED, "pool_exhausted", "total", BUSY_HERE, BREAKER_OPEN})
_UNAVAILABLE = frozenset({ErrorCode.PROVIDER_UNAVAILABLE, ErrorCode.TIMEOUT})
_REFUSED = frozenset(
    {ErrorCode.INVALID_AUTH, ErrorCode.SESSION_EXPIRED, ErrorCode.QUOTA_EXCEEDED, ErrorCode.RATE_LIMITED}
)

type Key = tuple[str, ...]
type Loop = asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls at once, in one process, to one provider's address and with one credential there; how long to queue."""

    provider: int = 100
    credential: int = 50
    wait_seconds: float = 2.0


class Circuit:
    """A breaker and the code of the failure that was counted last, which is what an open one answers with."""

    def __init__(self, key: Key, clock: Callable[[], float]) -> None:
        self.key = key
        self.breaker = Breaker(clock)
        self.code = ErrorCode.PROVIDER_UNAVAILABLE


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
    def admit(self, key: Key, provider_id: str) -> tuple[Circuit, Permit]:
        """Raises `ProviderError` at once while the circuit is open."""
        with self._lock:
            circuit = self._circuit(key)
            try:
                return circuit, circuit.breaker.admit()
            except Open as refused:
                raise _open(circuit.code, provider_id, refused.seconds) from None

    def settle(self, admitted: tuple[Circuit, Permit], outcome: Outcome, error: ProviderError | None = None) -> None:
        circuit, permit = admitted
        wait = (error.retry_after if error else None) or 0.0
        # Only for one credential is a single answer reason enough: a provider is shared by all of them.
        at_once = error is not None and error.code in _REFUSED and wait > LONGEST_WAIT_SECONDS
        with self._lock:
            circuit.breaker.settle(permit, outcome, retry_after=wait, at_once=at_once)
            if error is not None and outcome is Outcome.FAILED and circuit.breaker.state == "closed":
                circuit.code = error.code
            elif error is not None and outcome is Outcome.FAILED and error.code in _REFUSED:
                circuit.code = error.code

    def _circuit(self, key: Key) -> Circuit:
        circuit = self._circuits.get(key)
        if circuit is None:
            if len(self._circuits) >= REMEMBERED:
                for idle in [each for each, one in self._circuits.items() if one.breaker.idle]:
                    del self._circuits[idle]
            circuit = self._circuits[key] = Circuit(key, self._clock)
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
    """One call on its way: inside it holds its slots and its permits, and it gives all of them back however it ends."""

    def __init__(self, guard: Guard, provider_id: str, place: Key, credential: Key) -> None:
        self._guard = guard
        self._provider_id = provider_id
        self._place, self._credential = place, credential
        self._held = AsyncExitStack()
        self._admitted: list[tuple[Circuit, Permit]] = []

    async def __aenter__(self) -> Self:
        """Raises `ProviderError`: an open circuit at once, `rate_limited`/`busy_here` when no slot came free."""
        await self._queue()
        try:
            for key in (self._place, self._credential):
                self._admitted.append(self._guard.admit(key, self._provider_id))
        except ProviderError:
            await self._leave(None)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self._leave(error if isinstance(error, ProviderError) else None)

    def answered(self) -> None:
        """Content has come: provider and credential work."""
        for admitted in self._admitted:
            self._guard.settle(admitted, Outcome.ANSWERED)

    async def _queue(self) -> None:
        limits = self._guard.limits
        try:
            async with asyncio.timeout(limits.wait_seconds):
                # Its own limit first: a credential with many calls queues there and takes no place in the common queue.
                await self._held.enter_async_context(self._guard.slots(self._credential, limits.credential))
                await self._held.enter_async_context(self._guard.slots(self._place, limits.provider))
        except TimeoutError:
            await self._held.aclose()
            raise _busy(self._provider_id) from None
        except asyncio.CancelledError:
            await self._held.aclose()
            raise

    async def _leave(self, error: ProviderError | None) -> None:
        for admitted, codes in zip(self._admitted, (_UNAVAILABLE, _REFUSED), strict=False):
            counts = error is not None and error.code in codes and error.detail not in _OURS
            self._guard.settle(admitted, Outcome.FAILED if counts else Outcome.NEITHER, error)
        self._admitted.clear()
        await self._held.aclose()


def _open(code: ErrorCode, provider_id: str, seconds: float) -> ProviderError:
    words = f"{WORDS[code]} It failed several times in a row and is asked again in {max(1, round(seconds))} s."
    return ProviderError(
        code, words, provider_id=provider_id, detail=BREAKER_OPEN, retry_after=float(max(1, round(seconds)))
    )


def _busy(provider_id: str) -> ProviderError:
    words = "Too many answers are being written here at the moment; the provider was not asked."
    return ProviderError(ErrorCode.RATE_LIMITED, words, provider_id=provider_id, detail=BUSY_HERE, retry_after=5.0)
