"""The pump: one task owns the vendor's stream, silence and ends are judged, and leaving leaves nothing behind."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import faults
from providers.contract import Deadlines, Message, TextPart
from providers.errors import ErrorCode, ProviderError
from providers.events import Finished, FinishReason, ReasoningDelta, Started, StreamEvent, TextDelta
from providers.pump import CAPACITY, last, pumped

pytestmark = pytest.mark.anyio

END = Finished(FinishReason.STOP, Message("assistant", (TextPart(text="ok"),)))
QUICK = Deadlines(connect=1, first_event=0.05, idle=0.05, total=5)


def normalize(error: BaseException, *, partial: bool = False) -> ProviderError:
    return faults.local(error, provider_id="test", partial=partial)


def pump(
    stream: Callable[[], AsyncGenerator[StreamEvent]], deadlines: Deadlines = QUICK
) -> AsyncGenerator[StreamEvent]:
    return pumped(stream, deadlines, "test", normalize)


async def read(stream: AsyncGenerator[StreamEvent], into: list[StreamEvent]) -> None:
    async for event in stream:
        into.append(event)  # noqa: PERF401 - a comprehension would lose what came before a failure


def words(seen: list[StreamEvent]) -> str:
    return "".join(event.text for event in seen if isinstance(event, TextDelta))


async def failure(stream: AsyncGenerator[StreamEvent], into: list[StreamEvent] | None = None) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await read(stream, [] if into is None else into)
    return caught.value


@contextmanager
def no_complaints() -> Iterator[None]:
    """Nothing reaches the loop's exception handler: no lost task, no exception nobody looked at."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    assert complaints == []
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("provider-stream")]


class Source:
    """A vendor's stream that records whether it was closed; a float is a pause, an exception is raised."""

    def __init__(self, *steps: StreamEvent | float | BaseException) -> None:
        self.steps = steps
        self.closed = False
        self.given = 0

    async def __call__(self) -> AsyncGenerator[StreamEvent]:
        try:
            for step in self.steps:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, BaseException):
                    raise step
                else:
                    self.given += 1
                    yield step
        finally:
            self.closed = True


async def test_every_event_passes_in_order() -> None:
    source = Source(Started("r"), TextDelta(0, "a"), 0.01, TextDelta(0, "b"), END)
    with no_complaints():
        events = [event async for event in pump(source)]
    assert events == [Started("r"), TextDelta(0, "a"), TextDelta(0, "b"), END]
    assert source.closed


async def test_an_end_without_finished_is_a_cut() -> None:
    error = await failure(pump(Source(TextDelta(0, "half"))))
    assert (error.code, error.detail, error.partial) == (ErrorCode.PROVIDER_UNAVAILABLE, "stream_truncated", True)


async def test_no_event_at_all_is_a_cut_with_nothing_shown() -> None:
    assert not (await failure(pump(Source()))).partial


@pytest.mark.parametrize(
    ("steps", "phase"), [((1.0, END), "first_event"), ((Started("r"), 1.0, END), "idle")], ids=["first", "idle"]
)
async def test_silence_is_a_timeout_of_its_phase(steps: tuple[StreamEvent | float, ...], phase: str) -> None:
    source = Source(*steps)
    with no_complaints():
        error = await failure(pump(source))
    assert (error.code, error.detail) == (ErrorCode.TIMEOUT, phase)
    assert source.closed


async def test_the_idle_limit_holds_when_it_is_shorter_than_the_first() -> None:
    deadlines = Deadlines(first_event=30, idle=0.05, total=60)
    async with asyncio.timeout(2):
        error = await failure(pump(Source(TextDelta(0, "a"), 30.0), deadlines))
    assert error.detail == "idle"


async def test_a_long_answer_of_short_silences_ends_at_the_total() -> None:
    deadlines = Deadlines(first_event=5, idle=5, total=0.1)
    steps = [step for _ in range(100) for step in (TextDelta(0, "a"), 0.01)]
    error = await failure(pump(Source(*steps), deadlines))
    assert (error.code, error.detail, error.partial) == (ErrorCode.TIMEOUT, "total", True)


async def test_an_answer_without_end_stops_at_the_total_even_for_a_reader_that_lags() -> None:
    source = Source(*[TextDelta(0, str(number)) for number in range(10_000)])
    seen: list[StreamEvent] = []
    with pytest.raises(ProviderError) as caught:
        await slowly(pump(source, Deadlines(total=0.1)), seen)
    assert caught.value.detail == "total"
    assert source.closed
    assert len(seen) < 1000


async def slowly(stream: AsyncGenerator[StreamEvent], into: list[StreamEvent]) -> None:
    async for event in stream:
        into.append(event)
        await asyncio.sleep(0.002)


async def test_a_slow_reader_is_not_a_silent_vendor() -> None:
    """The limit is on the vendor's silence; how long the reader thinks about an event is its own affair."""
    source = Source(TextDelta(0, "a"), TextDelta(0, "b"), END)
    seen = []
    async for event in pump(source):
        seen.append(event)
        await asyncio.sleep(0.08)
    assert seen[-1] == END


async def test_the_vendor_is_not_read_faster_than_the_reader() -> None:
    source = Source(*[TextDelta(0, str(number)) for number in range(1000)], END)
    stream = pump(source)
    async with aclosing(stream):
        await anext(stream)
        await asyncio.sleep(0.02)
        first = source.given
        await asyncio.sleep(0.02)
        assert source.given == first <= 2 * CAPACITY
        rest = [event async for event in stream]
    assert rest[-1] == END


async def test_words_that_wait_already_come_as_one_piece_and_nothing_else_does() -> None:
    told = [TextDelta(0, "a"), TextDelta(0, "b\ud83d"), TextDelta(0, "\ude00c"), TextDelta(0, "d"), TextDelta(1, "e")]
    others = [ReasoningDelta(2, "f"), ReasoningDelta(2, "g"), TextDelta(3, "h"), END]
    events = [event async for event in pump(Source(*told, *others))]
    joined = [TextDelta(0, "ab\ud83d"), TextDelta(0, "\ude00cd"), TextDelta(1, "e")]
    assert events == [*joined, *others], "half a character is left for whoever mends it"


async def test_leaving_early_closes_the_source_at_once() -> None:
    source = Source(TextDelta(0, "a"), 60.0)
    with no_complaints():
        async with aclosing(pump(source)) as stream:
            await anext(stream)
        assert source.closed


async def test_cancelling_the_reader_closes_the_source() -> None:
    source = Source(TextDelta(0, "a"), 60.0)

    with no_complaints():
        reader = asyncio.create_task(read(pump(source, Deadlines()), []))
        await asyncio.sleep(0.01)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert source.closed


async def test_a_failure_nobody_waits_for_is_not_complained_about() -> None:
    source = Source(TextDelta(0, "a"), RuntimeError("later"))
    with no_complaints():
        async with aclosing(pump(source)) as stream:
            await anext(stream)
            await asyncio.sleep(0.01)


async def test_a_failure_after_the_end_changes_nothing() -> None:
    with no_complaints():
        assert await last(pump(Source(END, ConnectionResetError()))) == END


async def test_a_vendor_that_does_not_hang_up_is_hung_up_on() -> None:
    source = Source(END, 60.0)
    async with asyncio.timeout(2):
        assert await last(pump(source)) == END
    assert source.closed


async def test_what_arrived_before_a_failure_is_delivered_first() -> None:
    seen: list[StreamEvent] = []
    error = await failure(pump(Source(TextDelta(0, "a"), TextDelta(0, "b"), ConnectionResetError())), seen)
    assert words(seen) == "ab"
    assert (error.detail, error.partial) == ("stream_dropped", True)


async def test_a_mistake_of_ours_keeps_its_cause_and_a_vendors_words_do_not() -> None:
    ours = await failure(pump(Source(KeyError("bug"))))
    theirs = await failure(pump(Source(ConnectionResetError("sk-secret-in-the-text"))))
    assert (ours.detail, type(ours.__cause__)) == (faults.UNEXPECTED, KeyError)
    assert theirs.__cause__ is None
    assert theirs.__suppress_context__


async def test_a_task_cancelled_from_outside_is_not_a_success() -> None:
    stream = pump(Source(TextDelta(0, "a"), 60.0), Deadlines())
    async with aclosing(stream):
        await anext(stream)
        (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "provider-stream-test"]
        task.cancel()
        with pytest.raises(ProviderError) as caught:
            await anext(stream)
    assert caught.value.detail == "stream_dropped"


@given(
    pieces=st.lists(st.sampled_from(["event", "pause", "yield"]), max_size=200),
    end=st.sampled_from(["finished", "cut", "broken"]),
    reader=st.integers(min_value=0, max_value=3),
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_pace_nothing_is_lost_or_doubled(pieces: list[str], end: str, reader: int) -> None:
    async def source() -> AsyncGenerator[StreamEvent]:
        for number, piece in enumerate(pieces):
            if piece == "event":
                yield TextDelta(0, str(number))
            else:
                await asyncio.sleep(0)
        if end == "finished":
            yield END
        elif end == "broken":
            raise ConnectionResetError

    async def run() -> tuple[list[StreamEvent], str]:
        seen: list[StreamEvent] = []
        try:
            async for event in pump(source, Deadlines()):
                seen.append(event)
                for _ in range(reader):
                    await asyncio.sleep(0)
        except ProviderError as error:
            return seen, error.detail or ""
        return seen, "finished"

    expected = "".join(str(number) for number, piece in enumerate(pieces) if piece == "event")
    seen, ended = asyncio.run(run())
    assert words(seen) == expected
    assert [event for event in seen if not isinstance(event, TextDelta)] == ([END] if end == "finished" else [])
    assert ended == {"finished": "finished", "cut": "stream_truncated", "broken": "stream_dropped"}[end]
