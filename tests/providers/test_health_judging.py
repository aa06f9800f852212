"""The rule that turns signals into a state, over every history that hypothesis thinks of."""

from hypothesis import given
from hypothesis import strategies as st

from providers import latencies
from providers.judging import WINDOW_SECONDS, Signal, judge, result_of_check, result_of_run

NOW = 1_800_000_000.0
RANK = {"ok": 0, "unknown": 0, "degraded": 1, "expired": 1, "down": 2}

kinds = st.sampled_from(["check", "run"])
ages = st.floats(0, 2 * WINDOW_SECONDS)


@st.composite
def histories(draw: st.DrawFn, results: tuple[str, ...] = ("passed", "failed", "refused")) -> list[Signal]:
    found = draw(st.lists(st.tuples(ages, kinds, st.sampled_from(results)), max_size=40))
    rows = sorted(found, key=lambda row: -row[0])
    return [Signal(NOW - age, kind, result, "" if result == "passed" else "timeout") for age, kind, result in rows]  # type: ignore[arg-type]


def history(text: str, kind: str = "run") -> list[Signal]:
    """`.` passed, `x` failed, `r` refused, oldest first, a second apart."""
    results = {".": "passed", "x": "failed", "r": "refused"}
    return [
        Signal(NOW - len(text) + place, kind, results[mark], "" if mark == "." else "timeout")  # type: ignore[arg-type]
        for place, mark in enumerate(text)
    ]


def state(text: str, kind: str = "run") -> str:
    return judge(history(text, kind), NOW).state


@given(histories())
def test_every_history_has_one_of_five_states_and_a_reason_when_it_is_bad(signals: list[Signal]) -> None:
    verdict = judge(signals, NOW)
    assert verdict.state in RANK
    assert bool(verdict.reason) == (verdict.state not in {"ok", "unknown"})


@given(histories())
def test_a_check_that_passes_never_makes_it_worse(signals: list[Signal]) -> None:
    better = judge([*signals, Signal(NOW, "check", "passed")], NOW).state
    assert RANK[better] <= RANK[judge(signals, NOW).state]


@given(histories(("passed",)))
def test_nothing_but_passes_is_never_bad(signals: list[Signal]) -> None:
    assert judge(signals, NOW).state in {"ok", "unknown"}


@given(histories(("failed",)))
def test_nothing_but_failures_is_down(signals: list[Signal]) -> None:
    assert judge(signals, NOW).state in {"down", "unknown"}


@given(histories())
def test_what_is_old_changes_nothing(signals: list[Signal]) -> None:
    fresh = [one for one in signals if one.at > NOW - WINDOW_SECONDS]
    assert judge(signals, NOW) == judge(fresh, NOW)


@given(histories())
def test_signals_survive_being_stored(signals: list[Signal]) -> None:
    assert [Signal.from_json(one.as_json()) for one in signals] == signals


def test_examples() -> None:
    assert state("") == "unknown"
    assert state("x") == "down"
    assert state("..........x") == "ok"  # one failed answer among many is noise
    assert state("..........x", "check") == "degraded"  # a check that failed is not
    assert state("..........xx") == "ok"
    assert state("....xx") == "degraded"
    assert state("..........xxx") == "down"
    assert state("xxx.") == "degraded"  # it comes back by and by
    assert state("xxx.............") == "ok"
    assert state("...r", "check") == "expired"
    assert state("r.", "check") == "ok"


def test_slow_answers_are_degraded() -> None:
    late = [Signal(NOW, "run", "passed", "", 25_000) for _ in range(5)]
    assert judge(late, NOW).reason == "slow"
    assert judge(late[:4], NOW).state == "ok"


def test_what_counts_against_a_provider() -> None:
    assert result_of_check("timeout") == "failed"
    assert [result_of_check(code) for code in ("", "rate_limited", "quota_exceeded")] == ["passed"] * 3
    assert result_of_check("session_expired") == "refused"
    assert result_of_run("provider_unavailable") == "failed"
    for code in ("invalid_auth", "rate_limited", "content_blocked", "invalid_request", "stopped", "interrupted"):
        assert result_of_run(code) is None


@given(st.lists(st.integers(10, 100_000), min_size=1, max_size=50), st.sampled_from([0.5, 0.95]))
def test_a_quantile_is_right_to_within_an_eighth(times: list[int], share: float) -> None:
    counts: latencies.Counts = []
    for ms in times:
        counts = latencies.counted(counts, ms)
    true = next(ms for place, ms in enumerate(sorted(times), start=1) if place >= share * len(times))
    found = latencies.quantile(counts, share)
    assert found is not None
    assert abs(found / true - 1) < 0.126


def test_times_of_many_hours_add_up() -> None:
    assert latencies.total([[1, 2], [], [0, 1, 5]]) == [1, 3, 5]
    assert latencies.quantile([], 0.5) is None
