"""What a provider's recent signals say about it: a pure rule, without database and clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, Self

from providers.errors import ErrorCode

type Kind = Literal["check", "run"]
type Result = Literal["passed", "failed", "refused"]

# Older signals say nothing about now.
WINDOW_SECONDS = 600.0
REMEMBERED = 20
# One failure among many answers is noise; so many are not.
FAILURES, SHARE = 2, 0.2
# Nothing has passed for so many signals in a row.
SILENT = 3
SLOW_CHECK_MS, SLOW_CHECKS = 5_000, 3
SLOW_FIRST_WORD_MS, SLOW_RUNS = 20_000, 5

SLOW = "slow"
UNAVAILABLE = frozenset({ErrorCode.PROVIDER_UNAVAILABLE, ErrorCode.TIMEOUT})
REFUSALS = frozenset({ErrorCode.INVALID_AUTH, ErrorCode.PERMISSION_DENIED, ErrorCode.SESSION_EXPIRED})


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that was noticed at `at` (unix seconds). `code` is that of the failure, empty when it passed; `ms` the
    time of a check, or to the first word of an answer."""

    at: float
    kind: Kind
    result: Result
    code: str = ""
    ms: int | None = None

    def as_json(self) -> list[Any]:
        return [self.at, self.kind, self.result, self.code, self.ms]

    @classmethod
    def from_json(cls, row: list[Any]) -> Self:
        return cls(*row)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` is ok, degraded, down, expired or unknown; `reason` the code behind it, empty when all is well."""

    state: str
    reason: str = ""


def result_of_check(code: str) -> Result:
    """A check that was answered shows that the provider is there, also when it limits the key."""
    if code in UNAVAILABLE:
        return "failed"
    return "refused" if code in REFUSALS else "passed"


def result_of_run(code: str) -> Result | None:
    """None for what says nothing about the provider: refused keys and requests, stops, and our own failures."""
    if not code:
        return "passed"
    return "failed" if code in UNAVAILABLE else None


def judge(signals: Sequence[Signal], now: float) -> Verdict:
    """The provider's state at `now` from its signals, oldest first; only the newest 20 of ten minutes count.

    Down: the last three failed, or all did. Expired: the installation's key was refused by the last check. Degraded:
    the last check failed, one in five failed, or it is slow.
    """
    heard = [one for one in signals if one.at > now - WINDOW_SECONDS][-REMEMBERED:]
    if not heard:
        return Verdict("unknown")
    failed = [one for one in heard if one.result == "failed"]
    checks = [one for one in heard if one.kind == "check"]
    trailing = _trailing(heard)
    if trailing and (trailing >= SILENT or len(failed) == len(heard)):
        return Verdict("down", failed[-1].code)
    if checks and checks[-1].result == "refused":
        return Verdict("expired", checks[-1].code)
    if checks and checks[-1].result == "failed":
        return Verdict("degraded", checks[-1].code)
    if len(failed) >= FAILURES and len(failed) >= SHARE * len(heard):
        return Verdict("degraded", failed[-1].code)
    return Verdict("degraded", SLOW) if _slow(heard) else Verdict("ok")


def _trailing(heard: list[Signal]) -> int:
    count = 0
    for one in reversed(heard):
        if one.result != "failed":
            break
        count += 1
    return count


def _slow(heard: list[Signal]) -> bool:
    checks = [one.ms for one in heard if one.kind == "check" and one.ms is not None and one.result == "passed"]
    words = [one.ms for one in heard if one.kind == "run" and one.ms is not None and one.result == "passed"]
    late_checks = len(checks) >= SLOW_CHECKS and median(checks) > SLOW_CHECK_MS
    return late_checks or (len(words) >= SLOW_RUNS and median(words) > SLOW_FIRST_WORD_MS)
