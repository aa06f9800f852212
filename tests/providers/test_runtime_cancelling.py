"""Leaving a run at any point: the vendor's socket closes, and no slot, task or permit stays behind."""

import asyncio
import time
from contextlib import aclosing

import pytest

from providers.contract import GenerateRequest, Message, TextPart
from providers.guard import Guard, Limits
from providers.runtime import stream
from tests.providers.driven import GEMINI, OPENAI, Driven, line, named, quick, vendor
from tests.sandbox.server import SandboxServer

__all__ = ["line", "quick", "vendor"]

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("line")]


@pytest.fixture
def driven(vendor: SandboxServer) -> Driven:
    """With room for one call only, so that a slot that is kept is noticed."""
    return Driven(vendor, Guard(Limits(provider=1, credential=1, wait_seconds=0.2)))


async def cancelled(driven: Driven, after: float, text: str) -> float:
    """Ask, cancel, and say how long that took to be over."""
    run = asyncio.create_task(driven.ask(OPENAI, GEMINI, text=text))
    await asyncio.sleep(after)
    begun = time.monotonic()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    return time.monotonic() - begun


async def nothing_is_held(driven: Driven) -> None:
    driven.vendor.disarm()
    await driven.ask(OPENAI)
    assert driven.guard.states() == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Count /slow 20 /tokens 200", ""),
        ("Hello", "hang"),
        ("Hello", "slow_first_byte"),
        ("Count /tokens 50", "hang_stream"),
    ],
    ids=["in the answer", "before the headers", "before the first byte", "in a silence"],
)
async def test_stopping_closes_the_socket_and_frees_the_slot(driven: Driven, text: str, fault: str) -> None:
    if fault:
        driven.vendor.arm("openai", fault)
    assert await cancelled(driven, 0.6, text) < 1
    record = driven.vendor.wait_for(lambda one: one["outcome"] == "client_closed", seconds=1)
    assert record["provider"] == "openai"
    await nothing_is_held(driven)


async def test_stopping_in_a_pause_between_tries_makes_no_further_try(driven: Driven) -> None:
    driven.vendor.arm("openai", "rate_limit", seconds=8, count=0)
    assert await cancelled(driven, 0.6, "Hello") < 0.5
    assert driven.moves[-1][0] == "retry"
    assert len(driven.asked) == 1
    await nothing_is_held(driven)


async def test_stopping_while_waiting_for_a_slot(driven: Driven) -> None:
    driven.guard = Guard(Limits(provider=1, credential=1, wait_seconds=30))
    first = asyncio.create_task(Driven(driven.vendor, driven.guard).ask(OPENAI, text="Count /slow 20 /tokens 400"))
    await asyncio.sleep(0.3)
    assert await cancelled(driven, 0.2, "Hello") < 0.5
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await nothing_is_held(driven)


async def test_a_reader_that_leaves_early_leaves_nothing(driven: Driven) -> None:
    request = GenerateRequest("", (Message("user", (TextPart(text="Count /slow 20 /tokens 400"),)),))
    async with aclosing(stream(named([OPENAI]), request, driven.open, driven.guard)) as events:
        async for event in events:
            if type(event).__name__ == "TextDelta":
                break
    driven.vendor.wait_for(lambda one: one["outcome"] == "client_closed", seconds=1)
    await nothing_is_held(driven)


@pytest.mark.usefixtures("quick")
async def test_five_hundred_stops_at_any_moment_leave_nothing(driven: Driven) -> None:
    driven.guard = Guard(Limits(provider=40, credential=40, wait_seconds=2))
    driven.vendor.arm("openai", "server_error", count=60)

    async def one(number: int) -> None:
        mine = Driven(driven.vendor, driven.guard)
        run = asyncio.create_task(mine.ask(OPENAI, GEMINI, text="Count /slow 100 /tokens 300"))
        await asyncio.sleep(number % 50 * 0.01)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    for batch in range(10):
        await asyncio.gather(*(one(batch + number) for number in range(50)))
    driven.vendor.disarm()
    driven.guard.forget()
    both = [Driven(driven.vendor, driven.guard).ask(one) for _ in range(40) for one in (OPENAI, GEMINI)]
    async with asyncio.timeout(20):
        await asyncio.gather(*both)
