"""What the settings page says of token sessions, as plain values; keys are `panels`'."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from providers import policies, registry, sources
from providers.credentials import descriptor_of
from providers.models import Credential
from providers.resolution import Descriptor
from providers.when import ago, expiry


@dataclass(frozen=True, slots=True)
class Notice:
    """`tone` is ok, warn or bad; `replace` says that the remedy is another key, `renew` that it is another session."""

    tone: str
    title: str
    sentence: str
    replace: bool = False
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: str
    mono: bool = False


@dataclass(frozen=True, slots=True)
class SessionPart:
    """The token session of a panel: what is known of it, and what its owner prefers. `stored` is the row, None while
    there is none; `entered` is what was told of a workload identity, `identity` whether one can be entered."""

    facts: tuple[Fact, ...]
    stored: UUID | None
    mode: str
    fallback_allowed: bool
    has_key: bool
    anchor: str
    method: str
    account: str
    entered: dict[str, str]
    identity: bool


def key_of(rows: Iterable[Credential]) -> Credential | None:
    return next((row for row in rows if row.kind == Credential.Kind.API_KEY), None)


def session_of(rows: Iterable[Credential]) -> Credential | None:
    return next((row for row in rows if row.kind == Credential.Kind.SESSION), None)


def session_part(
    provider: registry.Provider, rows: list[Credential], *, shared: bool, now: datetime
) -> SessionPart | None:
    """Of one owner's rows; None for a provider that knows no sessions."""
    if not provider.sessions:
        return None
    row = session_of(rows)
    wish = descriptor_of(rows[0]) if rows else None
    return SessionPart(
        _facts(row, now) if row else (),
        row.pk if row else None,
        wish.mode if wish else "api_key",
        bool(wish and wish.fallback_allowed),
        key_of(rows) is not None,
        f"{'w' if shared else 'p'}-{provider.provider_id}-session",
        row.method if row else "",
        row.account if row and row.method == Credential.Method.BEARER else "",
        _entered(row) if row and row.method == Credential.Method.WORKLOAD_IDENTITY else {},
        shared and policies.workload_identity_allowed(),
    )


def _entered(row: Credential) -> dict[str, str]:
    """The vendor's own token endpoint was entered by nobody."""
    known: dict[str, str] = {"account": row.account, "base_url": row.base_url} | row.exchange
    return known | {"endpoint": ""} if known["endpoint"] == sources.token_endpoint(row.provider_id) else known


def _facts(row: Credential, now: datetime) -> tuple[Fact, ...]:
    known = descriptor_of(row, now)
    state = "Not allowed here" if known.barred else str(Credential.State(known.state).label)
    return (
        Fact("Session", row.hint, mono=True),
        Fact("Kind", row.get_method_display()),
        *session_facts(known, now),
        *([Fact("Base URL", row.base_url, mono=True)] if row.base_url else []),
        *([Fact("Token endpoint", row.exchange["endpoint"], mono=True)] if "endpoint" in row.exchange else []),
        Fact("State", state),
        Fact("Last checked", checked(row, now)),
    )


def session_facts(session: Descriptor, now: datetime) -> list[Fact]:
    """Whose a session is at the vendor and when it ends, as far as that is known."""
    facts = [Fact("Account", session.account)] if session.account else []
    return [*facts, *([Fact(*end)] if any(end := end_of(session, now)) else [])]


def end_of(session: Descriptor, now: datetime) -> tuple[str, str]:
    """A name and a value, both empty where nobody knows."""
    if session.expires_at is None:
        return "", ""
    moment = datetime.fromtimestamp(session.expires_at, UTC)
    return expiry(moment, now, renews=session.method != Credential.Method.BEARER)


def session_notice(provider: registry.Provider, rows: list[Credential], now: datetime) -> Notice | None:
    """Of a session that is preferred and cannot be used."""
    row = session_of(rows)
    wish = descriptor_of(row, now) if row else None
    if wish is None or wish.mode != "session" or wish.state not in Credential.OVER:
        return None
    instead = key_of(rows) is not None and wish.fallback_allowed
    then = "The API key stands in for it." if instead else "Requests wait until it is renewed, or a key is preferred."
    what = "has expired" if wish.state == Credential.State.EXPIRED else "cannot be read any more"
    return Notice("warn" if instead else "bad", f"The {provider.label} session {what}.", then, renew=True)


def checked(row: Credential, now: datetime) -> str:
    if row.checked_at is None:
        return "Never"
    took = f", {row.latency_ms} ms" if row.latency_ms is not None and row.latency_ms < 1000 else ""
    if row.latency_ms is not None and row.latency_ms >= 1000:
        took = f", {row.latency_ms / 1000:.1f} s"
    return ago(row.checked_at, now) + took
