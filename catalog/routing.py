"""Where a request goes: a pure function from what was asked and what is known to the attempts that may be made."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from catalog import policies, preferences
from catalog.facts import LEVELS, Facts
from catalog.models import Context, LanguageModel, ModelAlias
from providers import credential_words, registry
from providers.errors import ErrorCode
from providers.resolution import Resolution
from providers.tries import MOST_ATTEMPTS, Attempt

# A trace is stored on every run: what else was looked at is counted, not listed.
TRACED = 20


# Whose defaults hold where a context has none of its own.
STAND_INS = {Context.ORCHESTRATION.value: (Context.CHAT.value,)}


@dataclass(frozen=True, slots=True)
class RoutingRequest:
    """`requested` is what this request names, `sticky` what its conversation holds: `provider/model_id`, an alias, or
    empty. `needs` are abilities: tools, vision, documents, reasoning, structured, streaming."""

    context: str
    requested: str = ""
    sticky: str = ""
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """Either `attempts`, in order, or an `error` with a `message` that is safe to show; never both. The first attempt
    is made; another one only when those before it could not be reached.

    `requested` is the name that somebody gave, which may be an alias, empty when a default decided. `trace` is JSON:
    the alias, every candidate in order with its verdict, and the credentials that were looked at; never a secret.
    """

    attempts: tuple[Attempt, ...]
    requested: str
    error: ErrorCode | None
    message: str
    trace: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The plan for somebody who asks where a request would go."""
        return {
            "requested": self.requested,
            "error": self.error.value if self.error else None,
            "message": self.message,
            "attempts": [asdict(attempt) for attempt in self.attempts],
            **self.trace,
            "credentials": [{**line, "words": credential_words.said(line)} for line in self.trace["credentials"]],
            "because": credential_words.because(self.trace["credentials"]),
        }


@dataclass(frozen=True, slots=True)
class _Judged:
    """One candidate. `verdict` is `chosen`, or why it is out: `unknown`, `vanished`, `no_credential`, `policy_denied`,
    `lacks_<ability>`, and where the session that would be used has to be put right first `session_expired` or
    `invalid_auth`; of a fallback also `repeated` (it is an attempt already), `other_side` (the sandbox never stands
    in for a provider, nor a provider for the sandbox) and `not_needed` (there are enough attempts)."""

    key: str
    why: str
    verdict: str
    message: str = ""
    resolution: Resolution | None = None


ERRORS = {
    "unknown": ErrorCode.MODEL_NOT_FOUND,
    "vanished": ErrorCode.MODEL_NOT_FOUND,
    "no_credential": ErrorCode.MISSING_AUTH,
    "policy_denied": ErrorCode.POLICY_DENIED,
    "session_expired": ErrorCode.SESSION_EXPIRED,
    "invalid_auth": ErrorCode.INVALID_AUTH,
}
# A default whose session has ended is not passed over in silence: somebody else's model would answer unasked.
STOPS = frozenset({"session_expired", "invalid_auth"})


def plan(request: RoutingRequest, facts: Facts) -> Plan:
    """The model that was named, or nothing: it is never silently replaced. Without a name, the first usable one of
    the person's, the workspace's and the installation's default and then of all models in preference order. After that
    one come the workspace's fallbacks, if it wants any."""
    named = request.requested or request.sticky
    alias = facts.alias(named) if named else None
    judged: list[_Judged] = []
    for key, why in _candidates(request, facts, alias):
        found = _judge(key, why, request, facts)
        judged.append(found)
        if found.verdict == "chosen":
            return _planned(named, request, facts, judged)
        if found.verdict in STOPS and why in LEVELS:
            break
    return _refused(named, request, facts, judged)


def verdict(model: LanguageModel, context: str, facts: Facts) -> str:
    """What a request that names this very model would meet: `chosen`, or why it would not go out."""
    return _met(model, context, facts)[0]


def _candidates(request: RoutingRequest, facts: Facts, alias: ModelAlias | None) -> Iterable[tuple[str, str]]:
    """(model key, who proposed it), each key once."""
    if named := request.requested or request.sticky:
        return [(alias.target.key if alias else named, "request" if request.requested else "conversation")]
    proposed: dict[str, str] = {}
    for context in (request.context, *STAND_INS.get(request.context, ())):
        for level in LEVELS:
            if key := facts.defaults.get((level, context)):
                proposed.setdefault(key, level)
    rest = sorted(facts.models.values(), key=lambda model: preferences.rank(model, request.context))
    return [*proposed.items(), *((model.key, "preference") for model in rest if model.key not in proposed)]


def _judge(key: str, why: str, request: RoutingRequest, facts: Facts) -> _Judged:
    model = facts.models.get(key)
    if model is None:
        return _Judged(key, why, "unknown", f"No provider here lists {key}.")
    met, reason = _met(model, request.context, facts, request.needs)
    resolution = None if met == "vanished" else facts.resolution(model)
    return _Judged(key, why, met, reason or _words(met, model), resolution)


def _met(model: LanguageModel, context: str, facts: Facts, needs: frozenset[str] = frozenset()) -> tuple[str, str]:
    """The verdict on a model that is there, and a rule's own words for it if it has any."""
    if model.vanished:
        return "vanished", ""
    resolution = facts.resolution(model)
    used = resolution.chosen
    if used is None:
        return ("no_credential" if resolution.error is ErrorCode.MISSING_AUTH else str(resolution.error)), ""
    target = policies.Target(context, model.provider_id, model.model_id, used.source)
    decision = policies.decide(facts.actor, facts.rules, target)
    if not decision.allowed:
        return "policy_denied", decision.reason
    for ability in sorted(needs):
        # Unknown is not supported when the request cannot do without it.
        if getattr(model, f"supports_{ability}") is not True:
            return f"lacks_{ability}", ""
    return "chosen", ""


def _words(met: str, model: LanguageModel) -> str:
    match met:
        case "chosen":
            return ""
        case "vanished":
            follows = f" {model.successor} is meant to follow it." if model.successor else ""
            return f"{_provider(model)} no longer lists {model.label}.{follows} Choose another model to go on."
        case "no_credential":
            return f"There is no key for {_provider(model)} yet."
        case "policy_denied":
            return "A rule of this workspace blocks it."
        case "session_expired":
            return f"The session with {_provider(model)} has expired, and no key may stand in for it."
        case "invalid_auth":
            return f"The stored session with {_provider(model)} cannot be read, and no key may stand in for it."
    return f"{model.label} is not known to support {met.removeprefix('lacks_')}, which this request needs."


def _planned(named: str, request: RoutingRequest, facts: Facts, judged: list[_Judged]) -> Plan:
    chain = _fallbacks(judged[-1].key, request, facts)
    attempts = tuple(_attempt(one, facts) for one in (judged[-1], *chain) if one.verdict == "chosen")
    return Plan(attempts, named, None, "", _trace(request, facts, judged, chain))


def _fallbacks(first: str, request: RoutingRequest, facts: Facts) -> list[_Judged]:
    """The workspace's chain in this context, judged as every candidate is."""
    judged: list[_Judged] = []
    attempts = {first}
    for key in facts.fallbacks.get(request.context, ()):
        found = _judge(key, "fallback", request, facts)
        if found.verdict == "chosen":
            if key in attempts:
                found = replace(found, verdict="repeated")
            elif facts.models[key].sandbox != facts.models[first].sandbox:
                found = replace(found, verdict="other_side")
            elif len(attempts) == MOST_ATTEMPTS:
                found = replace(found, verdict="not_needed")
            else:
                attempts.add(key)
        judged.append(found)
    return judged


def _attempt(judged: _Judged, facts: Facts) -> Attempt:
    assert judged.resolution is not None and judged.resolution.chosen is not None  # noqa: S101, PT018 - it was chosen
    used, backup = judged.resolution.chosen, judged.resolution.backup
    provider_id, _, model_id = judged.key.partition("/")
    return Attempt(
        provider_id,
        model_id,
        used.ref,
        judged.why,
        used.source,
        used.hint,
        tools=facts.models[judged.key].supports_tools is True,
        credential_kind=used.kind,
        backup_ref=backup.ref if backup else "",
        backup_hint=backup.hint if backup else "",
    )


def _refused(named: str, request: RoutingRequest, facts: Facts, judged: list[_Judged]) -> Plan:
    if named or (judged and judged[-1].verdict in STOPS):
        error, message = _error_of(judged[-1]), judged[-1].message
    elif any(one.verdict == "no_credential" for one in judged) or not judged:
        error, message = ErrorCode.MISSING_AUTH, "No provider is connected yet. Add a key to start."
    else:
        error, message = _error_of(judged[0]), judged[0].message
    return Plan((), named, error, message, _trace(request, facts, judged))


def _error_of(judged: _Judged) -> ErrorCode:
    return ERRORS.get(judged.verdict, ErrorCode.INVALID_REQUEST)


def _trace(
    request: RoutingRequest, facts: Facts, judged: list[_Judged], chain: Sequence[_Judged] = ()
) -> dict[str, Any]:
    """`credentials` are those that were looked at for the last candidate before the fallbacks."""
    last = judged[-1] if judged else None
    shown = judged if len(judged) <= TRACED else [*judged[: TRACED - 1], judged[-1]]
    trace: dict[str, Any] = {
        "context": request.context,
        "candidates": [{"model": one.key, "why": one.why, "verdict": one.verdict} for one in (*shown, *chain)],
        "credentials": list(last.resolution.trace) if last and last.resolution else [],
    }
    if alias := facts.alias(request.requested or request.sticky):
        trace["alias"] = {
            "name": alias.name,
            "target": alias.target.key,
            "scope": alias.scope,
            "reason": alias.reason,
            "since": alias.created_at.date().isoformat(),
        }
    return trace | ({"omitted": len(judged) - len(shown)} if len(shown) < len(judged) else {})


def _provider(model: LanguageModel) -> str:
    known = registry.providers().get(model.provider_id)
    return known.label if known else model.provider_id
