"""How freshly listed models change the rows that are there; pure, `sync` reads and writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from catalog.enrichment import enrich
from catalog.evidence import FIELDS, say
from catalog.models import LanguageModel
from providers.contract import ModelInfo

# Fine-tuned models carry the name of the account that made them.
ACCOUNT_PREFIX = "ft:"
LONGEST_ID = 160
LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Listed:
    """One place's answer. `shared` says that the installation itself asked."""

    models: tuple[ModelInfo, ...]
    sandbox: bool
    shared: bool

    COLUMNS: ClassVar[list[str]] = [
        *FIELDS.values(),
        "label",
        "reasoning_tier",
        "evidence",
        "lifecycle",
        "sandbox",
        "shared",
        "last_seen_at",
    ]


def merge(
    provider_id: str,
    rows: Mapping[str, LanguageModel],
    listed: list[Listed],
    *,
    complete: set[bool],
    now: datetime,
) -> tuple[list[LanguageModel], list[LanguageModel]]:
    """(new rows, changed rows). `complete` says for which side (sandbox or not) every place has answered: there, and
    unless the answer was empty, a row that nobody listed any more is flagged as vanished.

    A model that both sides list is a real one. What a list does not say leaves what an earlier one said.
    """
    found = dict(rows)
    seen: set[str] = set()
    # The sandbox first, so that a real list has the last word.
    for place in sorted(listed, key=lambda one: not one.sandbox):
        for info in place.models:
            if not _acceptable(info, place):
                continue
            known = found.get(info.model_id)
            if place.sandbox and known is not None and not known.sandbox:
                continue
            row = known or LanguageModel(provider_id=provider_id, model_id=info.model_id, shared=False)
            _update(row, info, place, now)
            found[info.model_id] = row
            seen.add(info.model_id)
    sides = {one.sandbox for one in listed if one.models} & complete
    gone = [row for name, row in rows.items() if name not in seen and row.sandbox in sides]
    for row in gone:
        row.lifecycle = LanguageModel.Lifecycle.VANISHED
    fresh = [row for name, row in found.items() if name not in rows]
    return fresh, [rows[name] for name in rows if name in seen] + gone


def _acceptable(info: ModelInfo, place: Listed) -> bool:
    name = info.model_id
    if not 0 < len(name) <= LONGEST_ID or not name.isprintable() or " " in name:
        return False
    return place.shared or not name.startswith(ACCOUNT_PREFIX)


def _update(row: LanguageModel, info: ModelInfo, place: Listed, now: datetime) -> None:
    row.sandbox = place.sandbox
    row.label = (info.label or "").replace("\x00", "").strip()[:160] or row.label or row.model_id
    said: dict[str, Any] = {
        "tools": info.supports_tools,
        "vision": info.supports_vision,
        "documents": info.supports_documents,
        "reasoning": info.supports_reasoning,
        "structured": info.supports_structured,
        "context_window": _count(info.context_window),
        "max_output_tokens": _count(info.max_output_tokens),
        "retires_at": info.retires_at,
        "successor": _successor(row.provider_id, info),
    }
    for fact, value in said.items():
        say(row, fact, value, "provider", now.date())
    enrich(row)
    row.lifecycle = LanguageModel.Lifecycle.RETIRING if row.retires_at else LanguageModel.Lifecycle.ACTIVE
    row.shared = row.shared or place.shared
    row.last_seen_at = now


def _successor(provider_id: str, info: ModelInfo) -> str | None:
    named = info.successor or ""
    return f"{provider_id}/{named}" if 0 < len(named) <= LONGEST_ID and named.isprintable() else None


def _count(value: int | None) -> int | None:
    return value if value is not None and 0 < value <= LARGEST else None
