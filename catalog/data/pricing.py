"""Prices of the data file: list prices in US dollars per million tokens, with the day from which each holds."""

import re
from collections.abc import Callable, Mapping
from typing import Any

THEIR_NAMES = {"openai": "openai", "anthropic": "anthropic", "gemini": "google", "mistral": "mistral"}
# Their word for a price, and ours.
KINDS = {"input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cached"}

type Row = dict[str, str]


def table(providers: list[dict[str, Any]]) -> Callable[[str, str], list[Row]]:
    """A look-up by (our provider id, model id): the model's prices, oldest first, or nothing."""
    theirs = {one["id"]: one["models"] for one in providers}

    def find(provider_id: str, model_id: str) -> list[Row]:
        for model in theirs.get(THEIR_NAMES.get(provider_id, ""), ()):
            if model["id"] == model_id or matches(model.get("match") or {}, model_id):
                return _rows(model["prices"])
        return []

    return find


def matches(clause: Mapping[str, Any], name: str) -> bool:
    """Whether their rule for a model's names takes this one; a rule that is not known takes nothing."""
    known = _CLAUSES.get(clause.get("is", ""))
    return known is not None and known(clause, name)


_CLAUSES: dict[str, Callable[[Mapping[str, Any], str], bool]] = {
    "ClauseEquals": lambda clause, name: name == clause["equals"],
    "ClauseStartsWith": lambda clause, name: name.startswith(clause["starts_with"]),
    "ClauseEndsWith": lambda clause, name: name.endswith(clause["ends_with"]),
    "ClauseContains": lambda clause, name: clause["contains"] in name,
    "ClauseRegex": lambda clause, name: re.search(clause["regex"], name) is not None,
    "ClauseOr": lambda clause, name: any(matches(one, name) for one in clause["or_"]),
    "ClauseAnd": lambda clause, name: all(matches(one, name) for one in clause["and_"]),
}


def _rows(prices: Any) -> list[Row]:
    """Of several by date, each from its day on; a price that depends on anything else than a date is left out."""
    if isinstance(prices, dict):
        row = _row(prices)
        return [row] if row else []
    rows = []
    for one in prices:
        constraint = one.get("constraint")
        if constraint is None or constraint.get("is") == "StartDateConstraint":
            day = {"from": constraint["start_date"]} if constraint else {}
            if row := _row(one["prices"]):
                rows.append(day | row)
    return sorted(rows, key=lambda row: row.get("from", ""))


def _row(price: Mapping[str, Any]) -> Row:
    """Of a price with steps by length, the first step."""
    found = {}
    for theirs, ours in KINDS.items():
        value = price.get(theirs)
        base = value["base"] if isinstance(value, dict) else value
        if base is not None:
            found[ours] = str(base)
    return found if {"input", "output"} <= found.keys() else {}
