"""What runs used, by day, model and member, and what that costs by list price; drawn by the pages. Nobody is asked."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDay
from django.utils import timezone

from catalog import prices, snapshot
from catalog.models import LanguageModel
from chat.models import UsageEntry

DAYS = 30
MOST_DAYS = 366
MILLION = 1_000_000
BAR_WIDTH, CHART_WIDTH, CHART_HEIGHT = 20, 716, 64


@dataclass(slots=True)
class Amount:
    """What some runs used. `cost` is in US dollars by list price, of what can be priced; `unpriced` counts the runs
    that cannot: their model has no known price, or nobody counted their tokens."""

    runs: int = 0
    answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    uncounted: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0

    def add(self, other: Self) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def shown(self) -> dict[str, str]:
        """Its counts as a page writes them; tokens that nobody counted are said."""
        found = {name: f"{getattr(self, name):,}" for name in ("runs", "answers", "input_tokens", "output_tokens")}
        missing = f" and {self.uncounted:,} uncounted" if self.uncounted else ""
        tokens = "unknown" if self.runs and self.uncounted == self.runs else f"{self.tokens:,}{missing}"
        return found | {"tokens": tokens, "cost": self.cost_words}

    @property
    def known_cost(self) -> Decimal | None:
        """None when nothing of it can be priced."""
        return None if self.unpriced >= self.runs else self.cost

    @property
    def cost_words(self) -> str:
        """`unknown`, `$0.12`, or `$0.12 and 3 unknown`."""
        if self.known_cost is None:
            return "unknown" if self.runs else "-"
        shown = f"${self.cost:.2f}" if self.cost >= Decimal("0.01") or not self.cost else f"${self.cost:.6f}"
        return f"{shown} and {self.unpriced:,} unknown" if self.unpriced else shown


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the chart, in its user units; `label` is what a reader hears instead."""

    x: float
    y: int
    width: float
    height: int
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A model, a member or a day: its name, what it used, and the width in percent of its bar."""

    key: str
    name: str
    amount: Amount
    share: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The last days, the oldest first; models and members by what they used, the most first."""

    since: date
    total: Amount
    days: tuple[Line, ...]
    models: tuple[Line, ...]
    members: tuple[Line, ...]
    bars: tuple[Bar, ...] = field(default=())

    @property
    def most_words(self) -> str:
        """The tokens of the day that took the most."""
        return f"{max((line.amount.tokens for line in self.days), default=0):,}"


def report(rows: QuerySet[UsageEntry], days: int = DAYS, now: datetime | None = None) -> Report:
    """What `rows` used today and in the days before, in UTC. Two queries; a third that the catalog needs at times."""
    today = (now or timezone.now()).astimezone(UTC).date()
    since = today - timedelta(days=days - 1)
    begin = datetime(since.year, since.month, since.day, tzinfo=UTC)
    models = snapshot.current().models
    total = Amount()
    by: Mapping[str, dict[Any, Amount]] = {name: defaultdict(Amount) for name in ("day", "model", "member")}
    names: dict[UUID | None, str] = {}
    for group in _groups(rows.filter(at__gte=begin)):
        amount = _amount(group, models.get(group["model"]))
        names[group["user"]] = group["user__name"] or group["user__email"] or "Somebody who has left"
        keys = {"day": group["day"].astimezone(UTC).date(), "model": group["model"], "member": group["user"]}
        for name, key in keys.items():
            by[name][key].add(amount)
        total.add(amount)
    labels = {key: models[key].label if key in models else key or "No model" for key in by["model"]}
    dates = [since + timedelta(days=n) for n in range(days)]
    lines = tuple(Line(f"{one:%Y-%m-%d}", f"{one:%d %b}", by["day"].get(one, Amount())) for one in dates)
    return Report(since, total, lines, _lines(by["model"], labels), _lines(by["member"], names), _bars(lines))


def _groups(rows: QuerySet[UsageEntry]) -> Any:
    counted = rows.order_by().annotate(day=TruncDay("at", tzinfo=UTC))
    return counted.values("day", "model", "user", "user__name", "user__email").annotate(
        runs=Count("pk"),
        answers=Count("pk", filter=Q(answered=True, requests__gt=0)),  # a title is no answer to anybody
        input=Sum("input_tokens"),
        cached=Sum("cached_input_tokens"),
        output=Sum("output_tokens"),
        uncounted=Count("pk", filter=Q(output_tokens=None)),
    )


def _amount(group: Mapping[str, Any], model: LanguageModel | None) -> Amount:
    amount = Amount(group["runs"], group["answers"], group["input"] or 0, group["output"] or 0, group["uncounted"])
    price = prices.price_at(model, group["day"].astimezone(UTC).date()) if model else None
    cached = group["cached"] or 0
    if price is None or (cached and price.cached is None):
        amount.unpriced = amount.runs
        return amount
    dear = price.input * (amount.input_tokens - cached) + price.output * amount.output_tokens
    amount.cost = (dear + (price.cached or 0) * cached) / MILLION
    amount.unpriced = amount.uncounted
    return amount


def _lines(amounts: Mapping[Any, Amount], names: Mapping[Any, str]) -> tuple[Line, ...]:
    most = max((amount.tokens for amount in amounts.values()), default=0) or 1
    ordered = sorted(amounts.items(), key=lambda one: (-one[1].tokens, -one[1].runs, names[one[0]]))
    return tuple(
        Line(str(key or ""), names[key], amount, max(1, round(100 * amount.tokens / most))) for key, amount in ordered
    )


def _bars(days: tuple[Line, ...]) -> tuple[Bar, ...]:
    most = max((line.amount.tokens for line in days), default=0) or 1
    step = (CHART_WIDTH + 4) / len(days)
    return tuple(
        _bar(line, place * step, step * BAR_WIDTH / 24, max(2, round(CHART_HEIGHT * line.amount.tokens / most)))
        for place, line in enumerate(days)
    )


def _bar(line: Line, x: float, width: float, height: int) -> Bar:
    used = line.amount
    answers = f"{used.answers:,} answer{'' if used.answers == 1 else 's'}"
    label = f"{line.name}: {used.tokens:,} tokens, {answers}, {used.cost_words}"
    return Bar(round(x, 1), CHART_HEIGHT - height, round(width, 1), height, label)
