"""Who says what about a model, since when, and whose word counts: pure, over rows that others read and write."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from catalog.models import LanguageModel

ABILITIES = ("tools", "streaming", "vision", "documents", "reasoning", "structured", "temperature")

type Source = Literal["adapter", "data", "observed", "provider", "administrator"]
type State = Literal["supported", "partial", "unsupported", "unknown"]

# The weakest first: the shipped data file, what runs showed, the provider's own list, an administrator.
SOURCES: tuple[Source, ...] = ("adapter", "data", "observed", "provider", "administrator")
WORDS: dict[str, str] = {
    "adapter": "Parley asks every model for a stream",
    "data": "shipped data file",
    "observed": "seen in a run",
    "provider": "the provider's own list",
    "administrator": "an administrator",
}
FIELDS = {ability: f"supports_{ability}" for ability in ABILITIES} | {
    "context_window": "context_window",
    "max_output_tokens": "max_output_tokens",
    "retires_at": "retires_at",
    "successor": "successor",
    "prices": "prices",
    "efforts": "reasoning_efforts",
}
# What a column holds while nobody has said anything; None for all others.
UNSAID: dict[str, Any] = {"streaming": True, "prices": [], "efforts": [], "successor": ""}


@dataclass(frozen=True, slots=True)
class Statement:
    """What is known of one fact. `on` is the day it was first said, an ISO date; `limits` is a sentence, empty unless
    the ability works only in part."""

    state: State
    source: str = ""
    on: str = ""
    limits: str = ""

    @property
    def words(self) -> str:
        """Where it comes from, as a page writes it."""
        return told(self.source, self.on) if self.source else "nobody has said"


def told(source: str, on: str) -> str:
    """The shipped data file, 25 Nov 2026. `on` is an ISO date or empty."""
    return f"{WORDS[source]}, {date.fromisoformat(on):%-d %b %Y}" if on else WORDS[source]


def statement(row: LanguageModel, ability: str) -> Statement:
    """An ability that works in part is supported where a request needs it: the limits are there to be read."""
    value = getattr(row, FIELDS[ability])
    if value is None:
        return Statement("unknown")
    known = row.evidence.get(ability) or ({"source": "adapter"} if ability == "streaming" else {})
    limits = known.get("limits", "")
    state: State = "unsupported" if value is False else "partial" if limits else "supported"
    return Statement(state, known.get("source", ""), known.get("on", ""), limits)


def say(row: LanguageModel, fact: str, value: Any, source: Source, on: date, limits: str = "") -> bool:
    """Take a statement unless a better source has spoken; whether anything changed. None says nothing."""
    if value is None:
        return False
    known = row.evidence.get(fact)
    if known and SOURCES.index(known["source"]) > SOURCES.index(source):
        return False
    if (
        known
        and known["source"] == source
        and getattr(row, FIELDS[fact]) == value
        and known.get("limits", "") == limits
    ):
        return False
    setattr(row, FIELDS[fact], value)
    row.evidence = row.evidence | {
        fact: {"source": source, "on": on.isoformat()} | ({"limits": limits} if limits else {})
    }
    if fact in {"reasoning", "efforts"}:
        row.reasoning_tier = tier(row)
    return True


def forget(row: LanguageModel, fact: str, source: Source) -> None:
    """Take a source's own statement back; the next sync fills the place with what the others say."""
    if row.evidence.get(fact, {}).get("source") == source:
        row.evidence = {name: said for name, said in row.evidence.items() if name != fact}
        setattr(row, FIELDS[fact], UNSAID.get(fact))


def tier(row: LanguageModel) -> str:
    if row.supports_reasoning is None:
        return ""
    if row.supports_reasoning is False:
        return "none"
    return "extended" if {"xhigh", "max"} & set(row.reasoning_efforts) else "standard"
