"""Which try follows which failure: the rule by itself, without a provider or a clock."""

from hypothesis import given
from hypothesis import strategies as st

from providers.contract import TextPart
from providers.errors import ErrorCode, ProviderError
from providers.events import AttemptChanged, PartDone, Started, StreamEvent, TextDelta, ToolCallStarted, UsageUpdate
from providers.events import Usage as Counted
from providers.tries import FALLS_BACK, Attempt, Tries

PLAN = [Attempt("openai", "a", "r1", "request"), Attempt("gemini", "b", "r2"), Attempt("mistral", "c", "r3")]
FOREVER = 1e9


def failure(code: ErrorCode, **over: object) -> ProviderError:
    return ProviderError(code, "It failed.", provider_id="openai", **over)  # type: ignore[arg-type]


DOWN = failure(ErrorCode.PROVIDER_UNAVAILABLE)


def longest(low: float, high: float) -> float:
    return high


def shortest(low: float, high: float) -> float:
    return low


def test_the_first_is_announced_with_what_chose_it() -> None:
    assert Tries(PLAN, until=FOREVER).announcement == AttemptChanged("attempt", 1, "openai", "a", "request")


def test_pauses_grow_within_their_bounds() -> None:
    for jitter, waits in ((shortest, [0.5, 0.5]), (longest, [2.0, 4.0])):
        tries = Tries(PLAN[:1], until=FOREVER, jitter=jitter)
        assert tries.go_on(DOWN, 0.0)
        assert tries.announcement == AttemptChanged("retry", 2, "openai", "a", "provider_unavailable", waits[0])
        first = tries.wait
        assert tries.go_on(DOWN, 0.0)
        assert [first, tries.wait] == waits
        assert not tries.go_on(DOWN, 0.0)


def test_a_fallback_starts_at_once_and_may_be_tried_again_itself() -> None:
    tries = Tries(PLAN[:2], until=FOREVER)
    assert [tries.go_on(DOWN, 0.0) for _ in range(6)] == [True] * 5 + [False]
    tries = Tries(PLAN[:2], until=FOREVER)
    assert tries.go_on(failure(ErrorCode.QUOTA_EXCEEDED), 0.0)
    assert (tries.attempt, tries.wait, tries.announcement.wait_seconds) == (PLAN[1], 0.0, None)


def test_only_a_connection_that_timed_out_is_tried_again() -> None:
    assert Tries(PLAN[:1], until=FOREVER).go_on(failure(ErrorCode.TIMEOUT, detail="connect"), 0.0)
    for phase in ("first_event", "idle", "read", "total"):
        assert not Tries(PLAN[:1], until=FOREVER).go_on(failure(ErrorCode.TIMEOUT, detail=phase), 0.0)


def test_a_rate_limit_is_waited_for_when_it_says_how_long_and_that_is_short() -> None:
    for seconds, waited in ((0.0, True), (10.0, True), (10.5, False), (None, False)):
        tries = Tries(PLAN[:1], until=FOREVER)
        assert tries.go_on(failure(ErrorCode.RATE_LIMITED, retry_after=seconds), 0.0) is waited
        assert tries.wait >= (seconds or 0.0) or not waited


def test_an_unavailable_provider_that_names_a_time_is_not_asked_before() -> None:
    tries = Tries(PLAN[:1], until=FOREVER)
    assert tries.go_on(failure(ErrorCode.PROVIDER_UNAVAILABLE, retry_after=7.0), 0.0)
    assert tries.wait == 7.0
    assert not Tries(PLAN[:1], until=FOREVER).go_on(failure(ErrorCode.PROVIDER_UNAVAILABLE, retry_after=11.0), 0.0)


codes = st.sampled_from(ErrorCode)
details = st.sampled_from([None, "connect", "stream_truncated", "unexpected", "busy_here", "breaker_open"])
failures = st.builds(
    failure,
    codes,
    detail=details,
    retry_after=st.none() | st.floats(0, 3600),
    partial=st.sampled_from([False] * 5 + [True]),
)
quiet = st.sampled_from([Started(), UsageUpdate(Counted())])
content = st.sampled_from([TextDelta(0, "a"), ToolCallStarted(0, "c", "n"), PartDone(TextPart(text="x"))])


@given(st.integers(1, 3), st.lists(st.tuples(failures, st.floats(0, 40)), min_size=1, max_size=15), st.floats(0, 60))
def test_whatever_fails_the_tries_are_few_in_order_and_in_time(
    size: int, blows: list[tuple[ProviderError, float]], until: float
) -> None:
    tries = Tries(PLAN[:size], until=until)
    made, now = [tries.announcement], 0.0
    for error, took in blows:
        now += took
        if not tries.go_on(error, now):
            break
        now += tries.wait
        assert now < until
        assert not error.partial
        assert tries.announcement.reason == error.code
        if tries.announcement.state == "fallback":
            assert error.code in FALLS_BACK
        made.append(tries.announcement)
    assert [one.attempt for one in made] == list(range(1, len(made) + 1))
    order = [one.provider_id for one in made]
    assert order == sorted(order, key=[one.provider_id for one in PLAN].index), "never back"
    assert all(order.count(one) <= 3 for one in order)


@given(st.lists(quiet, max_size=3), content, failures)
def test_content_ends_all_trying(before: list[StreamEvent], shown: StreamEvent, error: ProviderError) -> None:
    tries = Tries(PLAN, until=FOREVER)
    for event in (*before, shown):
        tries.saw(event)
    assert not tries.go_on(error, 0.0)
