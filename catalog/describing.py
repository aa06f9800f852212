"""A model as the API writes it: plain values, and the same as text that is written once and kept with the row."""

import json
from datetime import date
from typing import Any

from catalog import prices
from catalog.evidence import ABILITIES, FIELDS, statement
from catalog.models import LanguageModel


def facts_of(row: LanguageModel) -> dict[str, Any]:
    """What is true of the model for everybody."""
    return {
        "key": row.key,
        "provider_id": row.provider_id,
        "model_id": row.model_id,
        "label": row.label,
        "reasoning_tier": row.reasoning_tier,
        "reasoning_efforts": row.reasoning_efforts,
        **{FIELDS[ability]: getattr(row, FIELDS[ability]) for ability in ABILITIES},
        "capabilities": {ability: _said(row, ability) for ability in ABILITIES},
        "context_window": row.context_window,
        "max_output_tokens": row.max_output_tokens,
        "prices": [_price(one) for one in row.prices],
        "evidence": {fact: said for fact, said in row.evidence.items() if fact not in ABILITIES},
        "lifecycle": row.lifecycle,
        "retires_at": row.retires_at.isoformat().replace("+00:00", "Z") if row.retires_at else None,
        "successor": row.successor,
        "sandbox": row.sandbox,
    }


def text(row: LanguageModel) -> str:
    """`facts_of` as JSON without the closing brace. A row from the snapshot is written once for the whole process."""
    if not row.written:
        row.written = json.dumps(facts_of(row), ensure_ascii=False, separators=(",", ":"))[:-1]
    return row.written


def price_now(row: LanguageModel, today: date) -> str:
    """$2.50 in, $10 out per 1M; empty when unknown."""
    price = prices.price_at(row, today)
    return price.words if price else ""


def _said(row: LanguageModel, ability: str) -> dict[str, str]:
    said = statement(row, ability)
    return {"state": said.state, "source": said.source, "on": said.on, "limits": said.limits}


def _price(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "valid_from": row.get("from"),
        "input": row["input"],
        "output": row["output"],
        "cached": row.get("cached"),
        "currency": "USD",
        "per_tokens": 1_000_000,
    }
