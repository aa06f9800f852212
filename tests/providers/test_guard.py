"""Slots and circuits: who waits for whom, what a failure counts for, and that a call that is over holds nothing."""

import asyncio
import threading
import time
from contextlib import AsyncExitStack

import pytest

from providers.contract import OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.guard import REMEMBERED, Guard, Limits
from providers.secrets import Secret

pytestmark = pytest.mark.anyio

SMALL = Limits(provider=3, credential=2, wait_seconds=0.05)


def key(name: str = "one", provider_id: str = "openai", base_url: str = "") -> OpenCredential:
    return OpenCredential(provider_id, f"credential:{name}", Secret(name), base_url=base_url)


def failure(code: ErrorCode = ErrorCode.PROVIDER_UNAVAILABLE, **over: object) -> ProviderError:
    return ProviderError(code, "It failed.", provider_id="openai", **over)  # type: ignore[arg-type]


async def refused(guard: Guard, credential: OpenCredential) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        async with guard.call(credential):
            pass
    return caught.value


async def holds(guard: Guard, credential: OpenCredential) -> None:
    async with guard.call(credential):
        await asyncio.sleep(60)


async def fails(guard: Guard, credential: OpenCredential, error: ProviderError, times: int = 5) -> None:
    for _ in range(times):
        with pytest.raises(ProviderError):
            async with guard.call(credential):
                raise error


async def test_a_credential_with_many_calls_waits_for_itself_and_leaves_room_for_others() -> None:
    guard = Guard(SMALL)
    async with AsyncExitStack() as held:
        for _ in range(SMALL.credential):
            await held.enter_async_context(guard.call(key("busy")))
        begun = time.monotonic()
        error = await refused(guard, key("busy"))
        assert (error.code, error.detail) == (ErrorCode.RATE_LIMITED, "busy_here")
        assert 0.04 < time.monotonic() - begun < 1
        async with guard.call(key("other")):
            assert (await refused(guard, key("third"))).detail == "busy_here", "the provider's slots are taken"
            async with guard.call(key("busy", "gemini")), guard.call(key("busy", base_url="http://gpu:1")):
                pass
    async with guard.call(key("busy")):
        pass


async def test_who_waits_gets_the_slot_that_comes_free() -> None:
    guard = Guard(Limits(provider=1, credential=1, wait_seconds=5))
    order = []

    async def work(number: int) -> None:
        async with guard.call(key()):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(number) for number in range(20)))
    assert order == list(range(20))


async def test_a_call_that_is_cancelled_while_it_waits_holds_nothing() -> None:
    guard = Guard(Limits(provider=1, credential=2, wait_seconds=60))
    async with guard.call(key("first")):
        waiting = asyncio.create_task(refused(guard, key("second")))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(1), guard.call(key("second")), AsyncExitStack():
        pass


async def test_being_busy_here_is_not_held_against_the_provider() -> None:
    guard = Guard(Limits(provider=1, credential=1, wait_seconds=0))
    async with guard.call(key()):
        for _ in range(20):
            assert (await refused(guard, key())).detail == "busy_here"
    assert guard.states() == {}


async def test_what_fails_for_everybody_shuts_the_provider_s_address_and_no_other() -> None:
    guard = Guard()
    await fails(guard, key(), failure(ErrorCode.TIMEOUT, detail="first_event"))
    error = await refused(guard, key("other"))
    assert (error.code, error.detail, error.retry_after) == (ErrorCode.PROVIDER_UNAVAILABLE, "breaker_open", 15)
    assert guard.states() == {("openai", ""): "open"}
    async with guard.call(key(base_url="http://elsewhere")), guard.call(key(provider_id="gemini")):
        pass


@pytest.mark.parametrize("code", [ErrorCode.INVALID_AUTH, ErrorCode.QUOTA_EXCEEDED, ErrorCode.RATE_LIMITED])
async def test_a_key_that_is_refused_shuts_out_itself_and_says_why(code: ErrorCode) -> None:
    guard = Guard()
    await fails(guard, key("bad"), failure(code))
    error = await refused(guard, key("bad"))
    assert (error.code, error.detail) == (code, "breaker_open")
    async with guard.call(key("good")):
        pass


async def test_a_key_that_was_replaced_starts_afresh() -> None:
    guard = Guard()
    old = OpenCredential("openai", "credential:7", Secret("old"))
    await fails(guard, old, failure(ErrorCode.INVALID_AUTH))
    assert (await refused(guard, old)).code is ErrorCode.INVALID_AUTH
    async with guard.call(OpenCredential("openai", "credential:7", Secret("new"))):
        pass
    assert "old" not in repr(guard.states())


@pytest.mark.parametrize(
    "error",
    [
        failure(ErrorCode.INVALID_REQUEST, status=400),
        failure(ErrorCode.CONTEXT_TOO_LONG),
        failure(ErrorCode.CONTENT_BLOCKED),
        failure(ErrorCode.MODEL_NOT_FOUND, status=404),
        failure(ErrorCode.PERMISSION_DENIED, status=403),
        failure(ErrorCode.PROVIDER_UNAVAILABLE, detail="unexpected"),
        failure(ErrorCode.PROVIDER_UNAVAILABLE, detail="pool_exhausted"),
        failure(ErrorCode.TIMEOUT, detail="total"),
    ],
    ids=lambda error: f"{error.code}-{error.detail}",
)
async def test_a_request_s_own_fault_counts_for_nothing(error: ProviderError) -> None:
    guard = Guard()
    await fails(guard, key(), error, times=20)
    assert guard.states() == {}


async def test_cancelled_calls_count_for_nothing_and_a_cancelled_probe_is_followed_by_another() -> None:
    now = 0.0
    guard = Guard(clock=lambda: now)
    await fails(guard, key(), failure())
    now = 15.0
    for _ in range(3):
        probing = asyncio.create_task(holds(guard, key()))
        await asyncio.sleep(0.01)
        assert (await refused(guard, key("other"))).detail == "breaker_open", "one probes"
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
    async with guard.call(key()) as probe:
        probe.answered()
        async with guard.call(key("other")):
            pass
    assert guard.states() == {}


async def test_circuits_are_not_kept_for_ever() -> None:
    now = 0.0
    guard = Guard(clock=lambda: now)
    for number in range(REMEMBERED * 2):
        now += 1
        async with guard.call(key(str(number))) as call:
            call.answered()
    assert len(guard._circuits) <= REMEMBERED + 1


def test_several_loops_share_circuits_and_not_slots() -> None:
    guard = Guard(Limits(provider=4, credential=4, wait_seconds=5))

    async def many() -> None:
        async def one() -> None:
            async with guard.call(key()) as call:
                await asyncio.sleep(0)
                call.answered()

        await asyncio.gather(*(one() for _ in range(200)))

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    asyncio.run(fails(guard, key(), failure(), times=1000))
    assert (asyncio.run(refused(guard, key()))).detail == "breaker_open"
