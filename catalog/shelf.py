"""The models as a person reads them: what each can do and who says so, its price, and whether it is theirs to use."""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from accounts.policies import Actor
from catalog import describing, evidence, prices
from catalog.choices import CONTEXT_WORDS, default_contexts, leaving_words, size, successor_of, unavailable
from catalog.evidence import ABILITIES, Statement, statement
from catalog.facts import Facts, facts_for
from catalog.models import Context, LanguageModel, ModelAlias
from catalog.routing import RoutingRequest, plan
from providers import credential_words, registry

ABILITY_WORDS = {
    "tools": "Tools",
    "streaming": "Streaming",
    "vision": "Images",
    "documents": "Documents",
    "reasoning": "Reasoning",
    "structured": "Structured output",
    "temperature": "Temperature",
}
# What a verdict of the routing means, and what to do about it.
VERDICTS = {
    "chosen": "This one answers.",
    "unknown": "No provider here lists it.",
    "vanished": "No longer listed",
    "no_credential": "No key",
    "session_expired": "Session expired",
    "invalid_auth": "Session unreadable",
    "policy_denied": "Blocked by policy",
    "repeated": "It is an attempt already.",
    "other_side": "The sandbox never stands in for a provider, nor the other way round.",
    "not_needed": "Enough attempts stand before it.",
}
WHY = {
    "request": "you named it",
    "conversation": "the conversation holds it",
    "user": "your default",
    "workspace": "the workspace's default",
    "installation": "the installation's default",
    "preference": "best of what is left",
    "fallback": "fallback",
}


@dataclass(frozen=True, slots=True)
class Ability:
    """`said` says who says so."""

    name: str
    said: Statement


@dataclass(frozen=True, slots=True)
class Line:
    """One model of the list; `reason` is empty when this person can use it, and `through` then says with whose key."""

    row: LanguageModel
    abilities: tuple[Ability, ...]
    context: str
    longest: str
    price: str
    leaving: str
    successor: tuple[str, str]
    badges: tuple[str, ...]
    reason: str
    through: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """One provider's models."""

    provider: registry.Provider
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One stop of the explanation: `tone` is done, warn or bad, empty for one that does not matter."""

    title: str
    text: str
    tone: str = ""


def shelves(actor: Actor, words: str = "", *, usable: bool = False) -> tuple[list[Shelf], list[ModelAlias]]:
    """Every provider's models that match all the words, and the aliases. Three queries."""
    facts = facts_for(actor)
    contexts = default_contexts(facts)
    wanted = words.lower().split()
    found: dict[str, list[Line]] = {}
    for row in facts.models.values():
        line = _line(row, facts, contexts)
        if _matches(line, wanted) and not (usable and line.reason):
            found.setdefault(row.provider_id, []).append(line)
    listed = [Shelf(one, tuple(found[one.provider_id])) for one in registry.available() if one.provider_id in found]
    return listed, [one for name, one in facts.aliases.items() if facts.alias(name)]


def one(actor: Actor, key: str) -> tuple[Line, Facts] | None:
    """A single model, None where this person sees no such model."""
    facts = facts_for(actor)
    row = facts.models.get(key)
    return (_line(row, facts, default_contexts(facts)), facts) if row else None


def explained(key: str, context: str, facts: Facts) -> list[Step]:
    """What a request that names the model would meet, as stops on a line."""
    where = plan(RoutingRequest(context, requested=key), facts)
    steps = [Step("Asked for", key, "done")]
    for line in where.trace["credentials"]:
        used = line["verdict"] == "used"
        tone = "done" if used else "warn" if line["verdict"] in {"expired", "malformed"} else ""
        steps.append(Step(credential_words.name(line), credential_words.VERDICTS[line["verdict"]], tone))
    first, *chain = where.trace["candidates"]
    words = where.message or VERDICTS["chosen"]
    steps.append(Step(_candidate(first), words, "done" if first["verdict"] == "chosen" else "bad"))
    for one in chain:
        chosen = one["verdict"] == "chosen"
        words = "It answers if those before it cannot be reached." if chosen else VERDICTS.get(one["verdict"], "")
        steps.append(Step(_candidate(one), words, "warn" if chosen else ""))
    return steps


def _candidate(line: dict[str, str]) -> str:
    return f"{line['model']}, {WHY.get(line['why'], line['why'])}"


def price_lines(row: LanguageModel) -> list[prices.Price]:
    """All of them, the newest first."""
    return [prices.read(one) for one in reversed(row.prices)]


def told(row: LanguageModel, fact: str) -> str:
    """Who says a fact that is no ability, as a page writes it; empty when nobody does."""
    said = row.evidence.get(fact)
    return evidence.told(said["source"], said["on"]) if said else ""


def _line(row: LanguageModel, facts: Facts, contexts: dict[str, list[str]]) -> Line:
    reason = unavailable(row, facts)
    chosen = facts.resolution(row).chosen
    today: date = timezone.now().date()
    return Line(
        row,
        tuple(Ability(ABILITY_WORDS[ability], statement(row, ability)) for ability in ABILITIES),
        size(row.context_window),
        size(row.max_output_tokens),
        describing.price_now(row, today),
        leaving_words(row),
        successor_of(row, facts),
        tuple(CONTEXT_WORDS[Context(context)] for context in contexts.get(row.key, ())),
        VERDICTS.get(reason, reason) if reason else "",
        chosen.text if chosen and not reason else "",
    )


def _matches(line: Line, wanted: list[str]) -> bool:
    can = " ".join(each.name for each in line.abilities if each.said.state in {"supported", "partial"})
    text = f"{line.row.label} {line.row.key} {can} {line.leaving}".lower()
    return all(word in text for word in wanted)
