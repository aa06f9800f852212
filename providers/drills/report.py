"""What a drill found: how each stream went, what had to hold and whether it did. Pure values, kept as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any, Literal

type Phase = Literal["before", "during", "after"]

# A first token may come so much later while another provider fails: the share, or the milliseconds when that is more.
SHARE = 1.10
P50_MS, P99_MS = 50.0, 250.0
SHOWN_STREAMS = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """One stream: `at` is when it began, in seconds of the drill; `code` is empty when it ended with `Finished`.

    `first_ms` and `took_ms` are milliseconds from its begin, `tries` counts retries too. `retry_after` (seconds) and
    `detail` are those of the failure.
    """

    provider_id: str
    phase: Phase
    at: float
    took_ms: float
    tries: int
    first_ms: float | None = None
    code: str = ""
    detail: str = ""
    retry_after: float | None = None

    @property
    def answered(self) -> bool:
        return not self.code


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that has to hold, what it means in figures, what was measured."""

    title: str
    wanted: str
    measured: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Step:
    at: float
    text: str


@dataclass(slots=True)
class Report:
    """Grows while a drill runs; any thread may read it with `as_json`."""

    steps: list[Step] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def expect(self, title: str, wanted: str, measured: str, *, passed: bool) -> None:
        self.expectations.append(Expectation(title, wanted, measured, passed))

    @property
    def passed(self) -> bool:
        return bool(self.expectations) and all(one.passed for one in self.expectations)

    def as_json(self, faulty: str) -> dict[str, Any]:
        """`steps`, `expectations`, `first_token` (one line for each other provider) and `streams`, for the picture."""
        return {
            "steps": [asdict(one) for one in list(self.steps)],
            "expectations": [asdict(one) for one in list(self.expectations)],
            "first_token": [asdict(one) for one in first_tokens(list(self.asked), faulty)],
            "streams": [
                {
                    "at": round(one.at, 2),
                    "provider_id": one.provider_id,
                    "phase": one.phase,
                    "first_ms": one.first_ms,
                    "code": one.code,
                }
                for one in self.asked[:SHOWN_STREAMS]
            ],
        }


# ---------------------------------------------------------------- isolation
@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds to the first token of `count` streams; 0 where there were none."""

    count: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One provider that was well, while nothing was wrong (before and after) and while another one failed."""

    provider_id: str
    baseline: Times
    drill: Times


def first_tokens(asked: Sequence[Asked], faulty: str) -> list[Compared]:
    names = dict.fromkeys(one.provider_id for one in asked if one.provider_id != faulty)
    found = []
    for name in names:
        theirs = [one for one in asked if one.provider_id == name]
        quiet = times(one for one in theirs if one.phase != "during")
        found.append(Compared(name, quiet, times(one for one in theirs if one.phase == "during")))
    return found


def times(asked: Iterable[Asked]) -> Times:
    firsts = [one.first_ms for one in asked if one.first_ms is not None]
    return Times(len(firsts), quantile(firsts, 0.5), quantile(firsts, 0.99))


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not pass, by nearest rank; 0 without values."""
    if not values:
        return 0.0
    return round(sorted(values)[ceil(share * len(values)) - 1], 1)


def isolation(asked: Sequence[Asked], faulty: str) -> list[Expectation]:
    """What the other providers must not notice."""
    others = [one for one in asked if one.provider_id != faulty]
    quiet = times(one for one in others if one.phase != "during")
    loud = times(one for one in others if one.phase == "during")
    failed = [one for one in others if not one.answered]
    codes = f" ({listed(one.code for one in failed)})" if failed else ""
    return [
        Expectation(
            "No stream to another provider fails",
            f"{len(others)} of {len(others)} answered",
            f"{len(others) - len(failed)} of {len(others)}{codes}",
            bool(others) and not failed,
        ),
        _kept("half of them (p50)", quiet.p50, loud.p50, P50_MS),
        _kept("99 in 100 (p99)", quiet.p99, loud.p99, P99_MS),
    ]


def _kept(which: str, quiet: float, loud: float, allowance: float) -> Expectation:
    limit = max(quiet * SHARE, quiet + allowance)
    return Expectation(
        f"Others' first token comes as early as without the fault: {which}",
        f"at most {limit:.0f} ms: {quiet:.1f} ms and 10 %, or {allowance:.0f} ms where that is more",
        f"{loud:.1f} ms ({100 * (loud / quiet - 1):+.0f} %)" if quiet else "nothing was measured",
        0 < loud <= limit,
    )


def listed(codes: Iterable[str]) -> str:
    """Each code once with its count: `timeout 20, rate_limited 1`."""
    counted: dict[str, int] = {}
    for code in codes:
        counted[code or "answered"] = counted.get(code or "answered", 0) + 1
    return ", ".join(f"{code} {count}" for code, count in counted.items()) or "none"
