"""What the runtime does when a provider fails, against the sandbox over HTTP: try again, go elsewhere, or say so."""

import time

import pytest

from providers.contract import Deadlines
from providers.errors import ErrorCode
from providers.runtime import Attempt
from tests.providers.driven import COMPATIBLE, GEMINI, OPENAI, Driven, line, quick, vendor
from tests.sandbox.server import SandboxServer

__all__ = ["line", "quick", "vendor"]

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("line")]


@pytest.fixture
def driven(vendor: SandboxServer) -> Driven:
    return Driven(vendor)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("attempt", [OPENAI, GEMINI, COMPATIBLE], ids=lambda one: one.provider_id)
@pytest.mark.parametrize("fault", ["server_error", "overloaded", "connect"])
async def test_two_failures_and_then_an_answer(driven: Driven, attempt: Attempt, fault: str) -> None:
    driven.vendor.arm("any", fault, count=2)
    await driven.ask(attempt)
    provider = attempt.provider_id
    assert driven.moves == [
        ("attempt", 1, provider, attempt.reason),
        ("retry", 2, provider, "provider_unavailable"),
        ("retry", 3, provider, "provider_unavailable"),
    ]
    assert driven.text
    assert driven.asked == [provider] * 3


@pytest.mark.usefixtures("quick")
async def test_a_third_failure_is_the_last(driven: Driven) -> None:
    driven.vendor.arm("openai", "server_error", count=0)
    error = await driven.refused(OPENAI)
    assert (error.code, error.status, len(driven.asked)) == (ErrorCode.PROVIDER_UNAVAILABLE, 500, 3)


async def test_a_short_retry_after_is_waited_for(driven: Driven) -> None:
    driven.vendor.arm("openai", "rate_limit", seconds=1)
    begun = time.monotonic()
    await driven.ask(OPENAI)
    assert 1.0 <= time.monotonic() - begun < 4
    assert driven.moves[1:] == [("retry", 2, "openai", "rate_limited")]
    assert 1.0 <= driven.events[1].wait_seconds <= 1.5  # type: ignore[union-attr]


async def test_a_long_retry_after_is_said_at_once_and_holds_for_this_key_only(driven: Driven) -> None:
    driven.vendor.arm("openai", "rate_limit", seconds=40)
    error = await driven.refused(OPENAI)
    assert (error.code, error.retry_after, len(driven.asked)) == (ErrorCode.RATE_LIMITED, 40, 1)
    again = await driven.refused(OPENAI)
    assert (again.code, again.detail, len(driven.asked)) == (ErrorCode.RATE_LIMITED, "breaker_open", 1)
    assert again.retry_after is not None
    assert 38 <= again.retry_after <= 40
    other = Attempt("openai", "gpt-sandbox", "sandbox-of-somebody-else")
    await driven.ask(other)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("bad_key", ErrorCode.INVALID_AUTH),
        ("forbidden", ErrorCode.PERMISSION_DENIED),
        ("quota", ErrorCode.QUOTA_EXCEEDED),
        ("too_long", ErrorCode.CONTEXT_TOO_LONG),
        ("not_found", ErrorCode.MODEL_NOT_FOUND),
    ],
)
async def test_what_cannot_get_better_is_tried_once(driven: Driven, fault: str, code: ErrorCode) -> None:
    driven.vendor.arm("openai", fault)
    error = await driven.refused(OPENAI)
    assert (error.code, driven.asked) == (code, ["openai"])


@pytest.mark.parametrize("fault", ["bad_key", "forbidden", "too_long", "not_found"])
async def test_what_a_person_must_put_right_does_not_go_elsewhere(driven: Driven, fault: str) -> None:
    driven.vendor.arm("openai", fault)
    await driven.refused(OPENAI, GEMINI)
    assert driven.asked == ["openai"]


@pytest.mark.parametrize("attempt", [OPENAI, GEMINI, COMPATIBLE], ids=lambda one: one.provider_id)
@pytest.mark.parametrize("fault", ["cut", "truncate", "stream_error", "server_error"])
async def test_after_content_nothing_is_tried_again(driven: Driven, attempt: Attempt, fault: str) -> None:
    driven.vendor.arm("any", fault, after=3)
    error = await driven.refused(attempt, OPENAI, text="Count /tokens 20")
    assert (error.code, error.partial) == (ErrorCode.PROVIDER_UNAVAILABLE, True)
    assert driven.text == "1 2 3 "
    assert len(driven.moves) == len(driven.asked) == 1


@pytest.mark.usefixtures("quick")
async def test_a_provider_that_is_down_is_replaced_by_the_next_of_the_plan(driven: Driven) -> None:
    driven.vendor.arm("openai", "server_error", count=0)
    finished = await driven.ask(OPENAI, GEMINI)
    assert driven.moves[-1] == ("fallback", 4, "gemini", "provider_unavailable")
    assert driven.asked == ["openai"] * 3 + ["gemini"]
    origin = finished.message.parts[0].origin
    assert origin is not None
    assert (origin.provider_id, origin.model_id) == ("gemini", "gemini-sandbox-flash")
    assert driven.text


@pytest.mark.parametrize("fault", ["quota", "rate_limit"])
async def test_a_key_that_may_ask_no_more_is_replaced_too(driven: Driven, fault: str) -> None:
    driven.vendor.arm("openai", fault, seconds=60)
    await driven.ask(OPENAI, GEMINI)
    assert driven.asked == ["openai", "gemini"]


async def test_silence_before_the_first_event_goes_elsewhere_and_is_not_repeated(driven: Driven) -> None:
    driven.vendor.arm("openai", "hang")
    await driven.ask(OPENAI, GEMINI, deadlines=Deadlines(first_event=0.3, total=20))
    assert driven.asked == ["openai", "gemini"]
    assert driven.moves[-1] == ("fallback", 2, "gemini", "timeout")


@pytest.mark.usefixtures("quick")
async def test_at_most_three_attempts_are_made(driven: Driven) -> None:
    driven.vendor.arm("any", "server_error", count=0)
    fourth = Attempt("openai", "gpt-sandbox-mini", "sandbox-four")
    await driven.refused(OPENAI, GEMINI, COMPATIBLE, fourth)
    assert driven.asked == ["openai"] * 3 + ["gemini"] * 3 + ["openai_compatible"] * 3


async def test_no_try_begins_after_the_total_deadline(driven: Driven) -> None:
    driven.vendor.arm("openai", "server_error", count=0)
    begun = time.monotonic()
    error = await driven.refused(OPENAI, deadlines=Deadlines(total=0.45))
    assert (error.status, len(driven.asked)) == (500, 1)
    assert time.monotonic() - begun < 0.45


@pytest.mark.usefixtures("quick")
async def test_a_provider_that_keeps_failing_is_not_asked_and_others_are(driven: Driven) -> None:
    driven.vendor.arm("openai", "server_error", count=0)
    await driven.refused(OPENAI)
    await driven.refused(OPENAI)
    calls = len(driven.asked)
    assert calls == 5, "the circuit opened at the fifth failure, in the middle of a run"
    begun = time.monotonic()
    for number in range(50):
        error = await driven.refused(Attempt("openai", "gpt-sandbox", f"sandbox-{number}"))
    assert (error.code, error.detail) == (ErrorCode.PROVIDER_UNAVAILABLE, "breaker_open")
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 15
    assert time.monotonic() - begun < 2.5
    await driven.ask(OPENAI, GEMINI)
    assert driven.asked[calls:] == ["gemini"]


async def test_a_bad_key_never_shuts_out_a_good_one(driven: Driven) -> None:
    bad = Attempt("openai", "gpt-sandbox", "sandbox-revoked")
    for _ in range(6):
        error = await driven.refused(bad)
    assert (error.code, error.detail, len(driven.asked)) == (ErrorCode.INVALID_AUTH, "breaker_open", 5)
    await driven.ask(OPENAI)
