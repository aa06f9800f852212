"""The picture of a report, as plain numbers for the template: bars that compare, and a timeline of first tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from providers import registry

# The user units of both drawings.
BAR_WIDTH = 240
WIDTH, HEIGHT = 1000, 180
MARGIN = 8


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of one provider, alone and beside the fault: milliseconds and the widths of their bars."""

    name: str
    alone: float
    beside: float
    alone_width: float
    beside_width: float


@dataclass(frozen=True, slots=True)
class Row:
    provider_id: str
    label: str
    letter: str
    pairs: tuple[Pair, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Dot:
    """One stream of the timeline; `tone` is empty, or b for a failure."""

    x: float
    y: float
    tone: str


@dataclass(frozen=True, slots=True)
class Picture:
    """`fault` is the stretch of the timeline during which the fault was on, as (x, width); None before it began."""

    rows: tuple[Row, ...]
    dots: tuple[Dot, ...]
    fault: tuple[float, float] | None
    top_ms: int
    seconds: int


def picture(report: dict[str, Any]) -> Picture:
    """Draw a report, or as much as there is of it."""
    streams: list[dict[str, Any]] = report.get("streams", [])
    others = {one["provider_id"] for one in report.get("first_token", [])}
    shown = [one for one in streams if one["provider_id"] in others]
    seconds = max([one["at"] for one in shown], default=0.0) + 1
    top = max([one["first_ms"] or 0 for one in shown], default=0.0) or 1.0
    began = min([one["at"] for one in shown], default=0.0)
    span = seconds - began

    def across(at: float) -> float:
        return round(WIDTH * (at - began) / span, 1)

    faulty = [one["at"] for one in shown if one["phase"] == "during"]
    stretch = (across(min(faulty)), round(across(max(faulty)) - across(min(faulty)), 1)) if faulty else None
    return Picture(
        rows=_rows(report.get("first_token", [])),
        dots=tuple(_dot(one, across(one["at"]), top) for one in shown),
        fault=stretch,
        top_ms=round(top),
        seconds=round(span),
    )


def _rows(compared: Sequence[dict[str, Any]]) -> tuple[Row, ...]:
    times = [one[part][name] for one in compared for part in ("baseline", "drill") for name in ("p50", "p99")]
    top = max(times, default=0.0) or 1.0
    return tuple(_row(one, top) for one in compared)


def _row(one: dict[str, Any], top: float) -> Row:
    provider = registry.providers()[one["provider_id"]]
    pairs = tuple(_pair(name, one["baseline"][name], one["drill"][name], top) for name in ("p50", "p99"))
    count = one["baseline"]["count"] + one["drill"]["count"]
    return Row(provider.provider_id, provider.label, provider.letter, pairs, count)


def _pair(name: str, alone: float, beside: float, top: float) -> Pair:
    return Pair(name, alone, beside, *(round(BAR_WIDTH * each / top, 1) for each in (alone, beside)))


def _dot(one: dict[str, Any], x: float, top: float) -> Dot:
    room = HEIGHT - 2 * MARGIN
    y = MARGIN if one["code"] else HEIGHT - MARGIN - room * (one["first_ms"] or 0) / top
    return Dot(x, round(y, 1), "b" if one["code"] else "")
