"""How each provider stands for one person: the canonical health, seen through the credential they would use."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.policies import Actor
from providers import registry
from providers.credentials import descriptors
from providers.judging import SLOW
from providers.models import Credential, HealthState, ProviderHealth
from providers.resolution import Descriptor, Resolution, resolve

TROUBLE = (HealthState.DOWN, HealthState.EXPIRED, HealthState.DEGRADED)


@dataclass(frozen=True, slots=True)
class Mark:
    """A provider's mark: `state` as the stylesheet has it, `text` the word beside it. Without a credential there is
    nothing to use, so it is not `connected`."""

    provider_id: str
    state: str
    text: str
    connected: bool = True


@dataclass(frozen=True, slots=True)
class Canonical:
    """What is stored of every provider, and whose own gateways (by reference) it says nothing about."""

    rows: dict[str, ProviderHealth]
    elsewhere: frozenset[str]

    def of(self, used: Descriptor) -> ProviderHealth | None:
        return None if used.ref in self.elsewhere else self.rows.get(used.provider_id)


def canonical(found: Iterable[Descriptor]) -> Canonical:
    """One query; a second one only while a provider is in trouble and somebody has a stored credential for it."""
    rows = {row.provider_id: row for row in ProviderHealth.objects.defer("recent")}
    troubled = {name for name, row in rows.items() if row.state in TROUBLE}
    stored = [one.ref.partition(":")[2] for one in found if one.ref.startswith("credential:")]
    if not (troubled and stored):
        return Canonical(rows, frozenset())
    away = Credential.objects.filter(pk__in=stored, provider_id__in=troubled).exclude(base_url="")
    return Canonical(rows, frozenset(f"credential:{pk}" for pk in away.values_list("pk", flat=True)))


def mark(provider_id: str, used: Descriptor | None, known: Canonical) -> Mark:
    """The mark of a provider that is used with this credential. Pure."""
    if used is None:
        return Mark(provider_id, "unknown", "Not connected", connected=False)
    return Mark(provider_id, *_state(used, known.of(used)))


SESSION_EXPIRED = "Session expired"
# By the kind and the state of a credential: what only its owner can put right.
_TROUBLE = {
    ("api_key", Credential.State.REFUSED.value): ("down", "Key refused"),
    ("session", Credential.State.REFUSED.value): ("down", "Session refused"),
    ("session", Credential.State.EXPIRED.value): ("expired", SESSION_EXPIRED),
    ("session", Credential.State.MALFORMED.value): ("down", "Session unreadable"),
}


def _state(used: Descriptor, health: ProviderHealth | None) -> tuple[str, str]:
    state = health.state if health else HealthState.UNKNOWN
    reason = health.reason if health else ""
    stored = used.ref.startswith("credential:")
    if (stored or used.kind == "session") and (trouble := _TROUBLE.get((used.kind, used.state))):
        return trouble
    if state == HealthState.DOWN or (stored and used.state == Credential.State.UNREACHABLE):
        return "down", "Not responding"
    if state == HealthState.EXPIRED and not stored:
        return "expired", SESSION_EXPIRED if reason == "session_expired" else "Key refused"
    if state == HealthState.DEGRADED:
        return "degraded", "Slow" if reason == SLOW else "Degraded"
    if used.sandbox:
        return "ok", "Sandbox"
    if state == HealthState.OK or (stored and used.state == Credential.State.WORKING):
        return "ok", "Operational"
    return "unknown", "Not checked yet"


def way_to(provider_id: str, found: Sequence[Descriptor]) -> Resolution:
    """What a request to this provider meets: a real credential, or what stands in its way, before the sandbox."""
    real = resolve(provider_id, found, sandbox_model=False)
    return real if real.chosen or real.blocked else resolve(provider_id, found, sandbox_model=True)


def used_for(provider_id: str, found: Sequence[Descriptor]) -> Descriptor | None:
    """The credential that a request to this provider goes out with, or the session that has to be put right first."""
    way = way_to(provider_id, found)
    return way.chosen or way.blocked


@dataclass(frozen=True, slots=True)
class Candidate:
    """A credential that somebody may use, how it stands, and its line in the trace of a request of theirs."""

    descriptor: Descriptor
    mark: Mark
    line: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stand:
    """One provider for one person; `row` is its canonical health, None where it says nothing about their way there.
    `used` is the credential that they would use, `fallback` why that is a key in the place of a session; `candidates`
    are all that they may use, in the order in which they are asked."""

    provider: registry.Provider
    mark: Mark
    row: ProviderHealth | None
    used: Descriptor | None = None
    fallback: str = ""
    candidates: tuple[Candidate, ...] = ()


def stand(actor: Actor) -> list[Stand]:
    """Every available provider, in display order. Two queries, three while one is in trouble."""
    found = descriptors(actor)
    known = canonical(found)
    return [_stand(provider, found, known) for provider in registry.available()]


def _stand(provider: registry.Provider, found: Sequence[Descriptor], known: Canonical) -> Stand:
    name = provider.provider_id
    way = way_to(name, found)
    used = way.chosen or way.blocked
    row = known.of(used) if used else None
    return Stand(provider, mark(name, used, known), row, used, way.reason, tuple(_candidates(name, found, known)))


def _candidates(name: str, found: Sequence[Descriptor], known: Canonical) -> Iterator[Candidate]:
    """Each on its own side of the sandbox line; the sandbox itself is no credential."""
    mine = {one.ref: one for one in found if one.provider_id == name and one.source != "sandbox"}
    for sandbox in sorted({one.sandbox for one in mine.values()}):
        for line in resolve(name, found, sandbox_model=sandbox).trace:
            one = mine.get(line.get("ref", ""))
            if one is not None and one.sandbox == sandbox:
                yield Candidate(one, mark(name, one, known), line)


def marks(actor: Actor) -> list[Mark]:
    return [one.mark for one in stand(actor)]


def version(found: Iterable[Descriptor]) -> str:
    """Another one whenever anything that a page shows of these credentials has changed; the sandbox stays as it is."""
    listed = {provider.provider_id for provider in registry.available()}
    shown = sorted(repr(one) for one in found if one.provider_id in listed and one.source != "sandbox")
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()[:16]


def summary(found: Sequence[Mark]) -> Mark:
    """The marks in one: the worst state and how many are in it."""
    connected = [one for one in found if one.connected]
    for state, words in (("down", "down"), ("expired", "refused"), ("degraded", "degraded")):
        count = sum(one.state == state for one in connected)
        if count:
            return Mark("", state, f"{count} {words}")
    if any(one.state == "ok" for one in connected):
        return Mark("", "ok", "Working")
    return Mark("", "unknown", "Not checked yet" if connected else "Not connected", connected=bool(connected))


def frame(actor: Actor) -> dict[str, object]:
    """What open pages are told: the marks, and the version of the credentials that this person may use."""
    stands = stand(actor)
    seen = [one.mark for one in stands]
    listed = [{"provider_id": one.provider_id, "state": one.state, "text": one.text} for one in seen]
    whole = summary(seen)
    return {
        "providers": listed,
        "summary": {"state": whole.state, "text": whole.text},
        "credentials": version(each.descriptor for one in stands for each in one.candidates),
    }
