"""The one owner of a vendor's stream: a task of its own, a bounded hand-over, and the deadlines of a call."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Protocol

from providers.contract import Deadlines
from providers.errors import ErrorCode, ProviderError
from providers.events import CONTENT_EVENTS, Finished, StreamEvent, TextDelta
from providers.faults import UNEXPECTED
from providers.halves import ends_in_half

CAPACITY = 64
# How long a finished stream may take to reach its end, so that the connection can be used again.
DRAIN_SECONDS = 0.5
CLOSE_SECONDS = 0.9


class Normalize(Protocol):
    def __call__(self, error: BaseException, *, partial: bool = False) -> ProviderError: ...


class Pump:
    """Runs the vendor's generator in its own task and hands its events over one at a time.

    Waiting for an event never wraps the vendor's generator in a timeout, which would destroy it: a lazy timer watches
    the reader instead.
    """

    def __init__(self, stream: AsyncGenerator[StreamEvent], deadlines: Deadlines, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: deque[StreamEvent] = deque()
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._deadlines = deadlines
        self._phase, self._limit = "first_event", deadlines.first_event
        self._until = self._loop.time() + deadlines.total
        self._waiting_since: float | None = None
        self.expired = ""
        self._timer = self._loop.call_later(min(self._limit, deadlines.total), self._watch)
        self.task = asyncio.create_task(self._fill(stream), name=name)
        self.task.add_done_callback(self._ended)

    async def _fill(self, stream: AsyncGenerator[StreamEvent]) -> None:
        async with aclosing(stream) as events:
            async for event in events:
                self._events.append(event)
                self._ready.set()
                if len(self._events) >= CAPACITY:
                    self._room.clear()
                    await self._room.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            # Looked at here as well, or asyncio would complain about a failure that nobody waited for.
            task.exception()
        self._ready.set()

    @property
    def failure(self) -> BaseException | None:
        """What ended the task, once it has ended; asked of the task, whose callbacks may still be waiting."""
        if not self.task.done():
            return None
        if self.task.cancelled():
            return ConnectionError("the stream's task was cancelled from outside")
        return self.task.exception()

    def _watch(self) -> None:
        """Expire a reader that has waited too long, or look again when it could have."""
        now = self._loop.time()
        due = min((self._waiting_since or now) + self._limit, self._until)
        if now < due:
            self._timer = self._loop.call_at(due, self._watch)
        else:
            self.expired = "total" if now >= self._until else self._phase
            self.task.cancel()
            self._ready.set()

    async def next(self) -> StreamEvent | None:
        """The next event, or None when there is none: the stream ended, failed (`failure`) or `expired`."""
        while not self._events:
            if self.expired or self.task.done():
                return None
            self._ready.clear()
            self._waiting_since = self._loop.time()
            await self._ready.wait()
            self._waiting_since = None
        event = self._joined(self._events.popleft())
        if len(self._events) <= CAPACITY // 2:
            self._room.set()
        if self._phase == "first_event":
            self._now_idle()
        return event

    def _joined(self, event: StreamEvent) -> StreamEvent:
        """Words that wait already go on as one piece: what a read brought at once costs its readers once."""
        if not isinstance(event, TextDelta) or not self._events:
            return event
        words = [event.text]
        while self._events and not ends_in_half(words[-1]):
            follows = self._events[0]
            if not isinstance(follows, TextDelta) or follows.part_index != event.part_index:
                break
            words.append(follows.text)
            self._events.popleft()
        return TextDelta(event.part_index, "".join(words))

    def _now_idle(self) -> None:
        self._phase, self._limit = "idle", self._deadlines.idle
        self._timer.cancel()
        self._timer = self._loop.call_at(min(self._loop.time() + self._limit, self._until), self._watch)

    async def drain(self) -> None:
        """Let a finished stream reach its end on the wire, briefly; what it still says no longer matters."""
        self._events.clear()
        self._room.set()
        await asyncio.wait({self.task}, timeout=DRAIN_SECONDS)

    async def close(self) -> None:
        """Cancel the task and wait for it: this is what closes the upstream socket."""
        self._timer.cancel()
        self.task.cancel()
        await asyncio.wait({self.task}, timeout=CLOSE_SECONDS)


async def pumped(
    open_stream: Callable[[], AsyncGenerator[StreamEvent]],
    deadlines: Deadlines,
    provider_id: str,
    normalize: Normalize,
) -> AsyncGenerator[StreamEvent]:
    """The events of one vendor stream, ending with `Finished`; every failure is a `ProviderError`.

    A stream that ends without `Finished` is `provider_unavailable`/`stream_truncated`, silence is `timeout` with the
    phase as its detail. Leaving this generator (aclose, cancellation) closes the upstream socket.
    """
    pump = Pump(open_stream(), deadlines, f"provider-stream-{provider_id}")
    partial = False
    try:
        while (event := await pump.next()) is not None:
            partial = partial or isinstance(event, CONTENT_EVENTS)
            yield event
            if isinstance(event, Finished):
                await pump.drain()
                return
        if not pump.expired and (failure := pump.failure) is not None:
            raise _classified(normalize(failure, partial=partial), failure)
        raise _cut_short(pump.expired, provider_id, partial)
    finally:
        await pump.close()


def _classified(error: ProviderError, failure: BaseException) -> ProviderError:
    """Keep the cause only of what nobody foresaw: a vendor's exception carries its words, and those may echo a key."""
    error.__cause__ = failure if error.detail == UNEXPECTED else None
    error.__suppress_context__ = True
    return error


def _cut_short(phase: str, provider_id: str, partial: bool) -> ProviderError:
    if phase:
        words = {
            "first_event": "The provider did not begin to answer in time.",
            "idle": "The provider stopped sending in the middle of the answer.",
            "total": "The answer took longer than a call may take.",
        }
        return ProviderError(ErrorCode.TIMEOUT, words[phase], provider_id=provider_id, detail=phase, partial=partial)
    return ProviderError(
        ErrorCode.PROVIDER_UNAVAILABLE,
        "The answer was cut off by the provider before it was complete.",
        provider_id=provider_id,
        detail="stream_truncated",
        partial=partial,
    )


async def last(events: AsyncIterator[StreamEvent]) -> Finished:
    """Read a pumped stream to its end and give its `Finished`."""
    finished: Finished | None = None
    async for event in events:
        if isinstance(event, Finished):
            finished = event
    assert finished is not None  # noqa: S101 - a pumped stream ends with one or raises
    return finished
