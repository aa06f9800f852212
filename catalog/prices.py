"""What a model costs by list: dollars per million tokens, with the day from which each price holds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from catalog.models import LanguageModel


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per 1,000,000 tokens. `valid_from` None is since ever; `cached` None is not known."""

    valid_from: date | None
    input: Decimal
    output: Decimal
    cached: Decimal | None = None

    @property
    def words(self) -> str:
        return f"{dollars(self.input)} in, {dollars(self.output)} out per 1M"


def price_at(model: LanguageModel, when: date) -> Price | None:
    """The price that held on that day, None where none is known. A run's day is that of its `created_at`, in UTC."""
    return held(model.prices, when)


def held(rows: Sequence[dict[str, Any]], when: date) -> Price | None:
    """`rows` are in the order of their days, the oldest first."""
    before = [row for row in rows if not row.get("from") or date.fromisoformat(row["from"]) <= when]
    return read(before[-1]) if before else None


def read(row: dict[str, Any]) -> Price:
    since = date.fromisoformat(row["from"]) if row.get("from") else None
    cached = Decimal(row["cached"]) if row.get("cached") else None
    return Price(since, Decimal(row["input"]), Decimal(row["output"]), cached)


def with_price(rows: Sequence[dict[str, Any]], new: Price) -> list[dict[str, Any]]:
    """The list with one more price, in order; one of the same day gives way."""
    since = new.valid_from.isoformat() if new.valid_from else ""
    row = {"from": since} if since else {}
    row |= {"input": str(new.input), "output": str(new.output)}
    row |= {"cached": str(new.cached)} if new.cached is not None else {}
    others = [one for one in rows if one.get("from", "") != since]
    return sorted([*others, row], key=lambda one: one.get("from", ""))


def dollars(amount: Decimal) -> str:
    """$2, $2.50, $0.125: two places, or as many as it has."""
    shown = amount.normalize()
    places = max(0, -int(shown.as_tuple().exponent))
    return f"${shown:.{places if places == 0 else max(2, places)}f}"
