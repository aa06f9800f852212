"""The circuit: whatever happens in whatever order, it opens for a reason, for a bounded time, and one call probes."""

from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from providers.breaker import (
    FAILURES,
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    WINDOW_SECONDS,
    Breaker,
    Open,
    Outcome,
    Permit,
)

WAITS = st.sampled_from([0.0, 1.0, 20.0, 120.0, 3600.0])


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def call(breaker: Breaker, outcome: Outcome, **how: float) -> None:
    breaker.settle(breaker.admit(), outcome, **how)  # type: ignore[arg-type]


def opened(clock: Clock, **how: float) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        call(breaker, Outcome.FAILED, **how)
    assert breaker.state == "open"
    return breaker


def seconds_left(breaker: Breaker) -> float:
    with pytest.raises(Open) as refused:
        breaker.admit()
    return refused.value.seconds


def test_it_opens_at_the_fifth_failure_for_fifteen_seconds() -> None:
    breaker = Breaker(Clock())
    for _ in range(FAILURES - 1):
        call(breaker, Outcome.FAILED)
        assert breaker.state == "closed"
    call(breaker, Outcome.FAILED)
    assert seconds_left(breaker) == SHORTEST_SECONDS


def test_failures_among_more_answers_do_not_open_it() -> None:
    breaker = Breaker(Clock())
    for _ in range(FAILURES * 4):
        call(breaker, Outcome.ANSWERED)
        call(breaker, Outcome.ANSWERED)
        call(breaker, Outcome.FAILED)
    assert breaker.state == "closed"


def test_failures_that_are_old_do_not_count() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES * 3):
        call(breaker, Outcome.FAILED)
        clock.now += WINDOW_SECONDS / 4
    assert breaker.state == "closed"
    clock.now += WINDOW_SECONDS
    assert breaker.idle


def test_what_says_nothing_never_opens_it() -> None:
    breaker = Breaker(Clock())
    for _ in range(100):
        call(breaker, Outcome.NEITHER)
    assert breaker.state == "closed"


def test_one_call_probes_and_its_answer_closes_the_circuit() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += SHORTEST_SECONDS
    assert breaker.state == "half_open"
    probe = breaker.admit()
    for _ in range(50):
        assert seconds_left(breaker) > 0
    breaker.settle(probe, Outcome.ANSWERED)
    assert breaker.state == "closed"
    call(breaker, Outcome.FAILED)
    assert breaker.state == "closed", "it starts afresh"


def test_a_probe_that_is_cancelled_leaves_its_place_to_the_next() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += SHORTEST_SECONDS
    breaker.settle(breaker.admit(), Outcome.NEITHER)
    breaker.settle(breaker.admit(), Outcome.ANSWERED)
    assert breaker.state == "closed"


def test_each_probe_that_fails_doubles_the_time_up_to_five_minutes() -> None:
    clock = Clock()
    breaker = opened(clock)
    lasted = []
    for _ in range(7):
        lasted.append(seconds_left(breaker))
        clock.now += lasted[-1]
        call(breaker, Outcome.FAILED)
    assert lasted == [15, 30, 60, 120, 240, 300, 300]


def test_retry_after_sets_the_clock() -> None:
    assert seconds_left(opened(Clock(), retry_after=40.0)) == 40
    assert seconds_left(opened(Clock(), retry_after=4.0)) == SHORTEST_SECONDS
    assert seconds_left(opened(Clock(), retry_after=4000.0)) == LONGEST_SECONDS


def test_an_open_circuit_that_nobody_asks_any_more_can_be_forgotten() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += SHORTEST_SECONDS + LONGEST_SECONDS
    assert not breaker.idle
    clock.now += 1
    assert breaker.idle


def test_a_long_wait_can_open_it_at_once() -> None:
    breaker = Breaker(Clock())
    breaker.settle(breaker.admit(), Outcome.FAILED, retry_after=42.0, at_once=True)
    assert seconds_left(breaker) == 42


@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_began_before_it_opened_changes_nothing(outcome: Outcome) -> None:
    clock = Clock()
    breaker = Breaker(clock)
    late = breaker.admit()
    for _ in range(FAILURES):
        call(breaker, Outcome.FAILED)
    left = seconds_left(breaker)
    breaker.settle(late, outcome, retry_after=200.0)
    assert seconds_left(breaker) == left
    clock.now += left
    probe = breaker.admit()
    breaker.settle(late, outcome)
    assert breaker.state == "half_open"
    assert seconds_left(breaker) > 0, "the probe is still out"
    breaker.settle(probe, Outcome.ANSWERED)
    assert breaker.state == "closed"


class Anything(RuleBasedStateMachine):
    """Calls begin, end and overlap in any order, against a plain account of what was counted."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(self.clock)
        self.out: list[tuple[Permit, str, int]] = []
        self.counted: deque[tuple[float, bool]] = deque()
        self.openings = 0

    @rule(seconds=st.sampled_from([0.0, 0.5, 7.0, 15.0, 29.9, 30.0, 61.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def somebody_calls(self) -> None:
        before = self.breaker.state
        if before == "open" or (before == "half_open" and self.probes()):
            assert 0 < seconds_left(self.breaker) <= LONGEST_SECONDS
        else:
            self.out.append((self.breaker.admit(), before, self.openings))

    @precondition(lambda self: self.out)
    @rule(data=st.data(), outcome=st.sampled_from(Outcome), retry_after=WAITS, at_once=st.booleans())
    def a_call_ends(self, data: st.DataObject, outcome: Outcome, retry_after: float, at_once: bool) -> None:
        place = data.draw(st.integers(0, len(self.out) - 1))
        permit, began, openings = self.out.pop(place)
        before, stale = self.breaker.state, openings != self.openings
        self.breaker.settle(permit, outcome, retry_after=retry_after, at_once=at_once)
        after = self.breaker.state
        if stale or outcome is Outcome.NEITHER or (began == "closed") != (before == "closed"):
            assert after == before
        elif before == "closed":
            self.counted.append((self.clock.now, outcome is Outcome.FAILED))
            reason = outcome is Outcome.FAILED and (at_once or self.failing())
            assert after == ("open" if reason else "closed")
        else:
            assert after == ("closed" if outcome is Outcome.ANSWERED else "open")
        if after != before:
            self.openings += 1
            self.counted.clear()

    def failing(self) -> bool:
        recent = [failed for at, failed in self.counted if at > self.clock.now - WINDOW_SECONDS]
        return sum(recent) >= 5 and sum(recent) * 2 >= len(recent)

    def probes(self) -> list[Permit]:
        return [permit for permit, began, era in self.out if began == "half_open" and era == self.openings]

    @invariant()
    def at_most_one_call_probes(self) -> None:
        assert len(self.probes()) <= 1

    @invariant()
    def an_open_circuit_ends(self) -> None:
        if self.breaker.state == "open":
            assert 0 < seconds_left(self.breaker) <= LONGEST_SECONDS


Anything.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestAnything = Anything.TestCase
