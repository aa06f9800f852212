"""What the model picker offers to a person, as plain values in the order in which it shows them."""

from dataclasses import dataclass

from django.utils import timezone

from accounts.policies import Actor
from catalog import describing, preferences
from catalog.facts import LEVELS, Facts, facts_for
from catalog.models import Context, LanguageModel
from catalog.routing import verdict
from providers import registry, standing
from providers.resolution import Descriptor

ABILITIES = ("tools", "vision", "reasoning")
CONTEXT_WORDS = {
    Context.CHAT: "Chat default",
    Context.STRUCTURED: "Structured default",
    Context.SUMMARY: "Summary default",
    Context.DOC: "Document default",
    Context.ORCHESTRATION: "Orchestration default",
}
REASONS = {
    "no_credential": "No key",
    "session_expired": "Session expired",
    "invalid_auth": "Session unreadable",
    "policy_denied": "Blocked by policy",
    "vanished": "No longer listed",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One model. `disabled_reason` is empty when it can be chosen; `abilities` holds only what is known to work;
    `context` is the size as it is read, for example 400k, or empty; so is `price`. `leaving` says what becomes of a
    model that retires or has vanished, `successor` which one is meant to follow (its key and label), both may be
    empty."""

    key: str
    model_id: str
    label: str
    abilities: tuple[str, ...]
    context: str
    badges: tuple[str, ...]
    disabled_reason: str
    current: bool
    sandbox: bool
    price: str = ""
    leaving: str = ""
    successor: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Group:
    """One provider. `health` is a state of the health mark and its word; `credential` says with whose key its models
    answer, empty when there is none (then offer to add one)."""

    provider_id: str
    label: str
    letter: str
    health_state: str
    health_text: str
    credential: str
    options: tuple[Option, ...]

    @property
    def mark(self) -> standing.Mark:
        return standing.Mark(self.provider_id, self.health_state, self.health_text, connected=bool(self.credential))

    @property
    def ready(self) -> bool:
        return any(not option.disabled_reason for option in self.options)


def picker(actor: Actor, current: str = "") -> list[Group]:
    """Every available provider with its models. Four queries, however many there are; five while one is in trouble."""
    facts = facts_for(actor)
    if alias := facts.alias(current):
        current = alias.target.key
    known = standing.canonical(facts.descriptors)
    badges = default_badges(facts)
    groups = []
    listed: dict[str, list[LanguageModel]] = {}
    for model in facts.models.values():
        listed.setdefault(model.provider_id, []).append(model)
    for provider in registry.available():
        models = listed.get(provider.provider_id, [])
        shown = [
            model for model in models if model.lifecycle != LanguageModel.Lifecycle.VANISHED or model.key == current
        ]
        shown.sort(key=lambda model: preferences.rank(model, Context.CHAT))
        used = _used(provider.provider_id, facts, shown)
        through = standing.used_for(provider.provider_id, facts.descriptors)
        health = standing.mark(provider.provider_id, through, known)
        options = tuple(_option(model, facts, badges, current) for model in shown)
        words = used.text if used else ""
        shown_as = (provider.provider_id, provider.label, provider.letter, health.state, health.text)
        groups.append(Group(*shown_as, words, options))
    return groups


def unavailable(model: LanguageModel, facts: Facts, context: str = Context.CHAT) -> str:
    """Why a request that names this model would be turned away, as a verdict of the routing; empty if it would not."""
    met = verdict(model, context, facts)
    return "" if met == "chosen" else met


def default_contexts(facts: Facts) -> dict[str, list[str]]:
    """By model key, the contexts in which it is this person's default: their own, else the workspace's, else ours."""
    found: dict[str, list[str]] = {}
    for context in Context.values:
        chosen = [facts.defaults[level, context] for level in LEVELS if (level, context) in facts.defaults]
        if chosen:
            found.setdefault(chosen[0], []).append(context)
    return found


def default_badges(facts: Facts) -> dict[str, tuple[str, ...]]:
    words = default_contexts(facts)
    return {key: tuple(CONTEXT_WORDS[Context(context)] for context in contexts) for key, contexts in words.items()}


def _used(provider_id: str, facts: Facts, models: list[LanguageModel]) -> Descriptor | None:
    """The credential most of the group's models answer with; without models, any that reaches the provider."""
    for model in models:
        if chosen := facts.resolution(model).chosen:
            return chosen
    return next((one for one in facts.descriptors if one.provider_id == provider_id), None)


def leaving_words(model: LanguageModel) -> str:
    """Retiring 11 Dec 2026, Retired 23 Oct 2026 (but still listed), or No longer listed; empty for one that stays."""
    if model.vanished:
        return "No longer listed"
    if model.retires_at is None or not model.leaving:
        return ""
    return f"{'Retiring' if model.retires_at > timezone.now() else 'Retired'} {model.retires_at:%-d %b %Y}"


def successor_of(model: LanguageModel, facts: Facts) -> tuple[str, str]:
    """Key and label of the model that is meant to follow, where this person can see it; a pair of empty words else."""
    following = facts.models.get(model.successor) if model.leaving else None
    return (following.key, following.label) if following and not following.vanished else ("", "")


def _option(model: LanguageModel, facts: Facts, badges: dict[str, tuple[str, ...]], current: str) -> Option:
    today = timezone.now().date()
    reason = unavailable(model, facts)
    return Option(
        key=model.key,
        model_id=model.model_id,
        label=model.label,
        abilities=tuple(ability for ability in ABILITIES if getattr(model, f"supports_{ability}") is True),
        context=size(model.context_window),
        badges=badges.get(model.key, ()),
        disabled_reason=REASONS.get(reason, "Not available") if reason else "",
        current=model.key == current,
        sandbox=model.sandbox,
        price=describing.price_now(model, today),
        leaving=leaving_words(model),
        successor=successor_of(model, facts),
    )


def size(tokens: int | None) -> str:
    """A context window as people say it: 128k, 400k, 1M; empty when unknown."""
    if not tokens:
        return ""
    if tokens < 1000:
        return str(tokens)
    return f"{tokens // 1000}k" if tokens < 1_000_000 else f"{tokens / 1_000_000:.2g}M"
