"""What the settings page says about each provider, as plain values; the template only arranges them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.policies import Actor
from providers import registry, sources
from providers.credentials import descriptor_of
from providers.models import Credential
from providers.resolution import Descriptor
from providers.standing import Canonical, Mark, canonical, mark, used_for

type Health = tuple[str, str]  # the mark's state in the stylesheet, and the word beside it


@dataclass(frozen=True, slots=True)
class Notice:
    """`tone` is ok, warn or bad; `replace` says that the remedy is another key."""

    tone: str
    title: str
    sentence: str
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: str
    mono: bool = False


@dataclass(frozen=True, slots=True)
class SessionPart:
    """The token session of a panel: what is known of it, and what its owner prefers. `stored` is the row, None while
    there is none."""

    facts: tuple[Fact, ...]
    stored: UUID | None
    mode: str
    fallback_allowed: bool
    has_key: bool
    anchor: str
    method: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One provider for one owner. `check_ref` is what "Check now" checks, `stored` the row that may be replaced and
    removed, `accepts_key` whether a key can be added here at all; `effect` says what removing would change."""

    provider: registry.Provider
    shared: bool
    health: Health
    summary: str
    facts: tuple[Fact, ...]
    notice: Notice | None
    check_ref: str
    stored: UUID | None
    accepts_key: bool
    takes_base_url: bool
    base_url: str
    effect: str
    foot: str
    session: SessionPart | None = None

    @property
    def anchor(self) -> str:
        return f"{'w' if self.shared else 'p'}-{self.provider.provider_id}"

    @property
    def mark(self) -> Mark:
        return Mark(self.provider.provider_id, *self.health, connected=bool(self.check_ref))

    @property
    def live(self) -> str:
        """Whose changes the mark follows: a person's own panel shows the provider, the workspace's its key."""
        return "" if self.shared else self.provider.provider_id


def panels(actor: Actor, now: datetime | None = None) -> tuple[list[Panel], list[Panel]]:
    """The person's panels, and the workspace's for its administrators (otherwise empty). Two queries, three while a
    provider is in trouble."""
    now = now or timezone.now()
    rows = list(Credential.objects.visible_to(actor).with_mode())
    installation = sources.descriptors()
    known = canonical([*map(descriptor_of, rows), *installation])
    own, workspace = [], []
    for provider in registry.available():
        kept = [row for row in rows if row.provider_id == provider.provider_id]
        others = [one for one in installation if one.provider_id == provider.provider_id]
        own.append(_own_panel(provider, kept, others, known, now))
        if actor.administers:
            workspace.append(_workspace_panel(provider, kept, others, known, now))
    return own, workspace


def _own_panel(
    provider: registry.Provider,
    rows: list[Credential],
    installation: list[Descriptor],
    known: Canonical,
    now: datetime,
) -> Panel:
    mine = [row for row in rows if row.user_id is not None]
    theirs = [row for row in rows if row.user_id is None]
    own, workspace = _key(mine), _key(theirs)
    used = used_for(provider.provider_id, [*map(descriptor_of, rows), *installation])
    without = used_for(provider.provider_id, [*map(descriptor_of, theirs), *installation])
    facts = [Fact("Key", own.hint, mono=True) if own else Fact("Key", "None of your own")]
    if own:
        facts.append(Fact("Added", _day(own.updated_at)))
    elif workspace:
        facts.append(Fact("Workspace key", workspace.hint, mono=True))
    shown = own or workspace
    if shown:
        facts.append(Fact("Last checked", _checked(shown, now)))
    facts.append(Fact("Used for requests", used.text.partition(" …")[0] if used else "Nothing yet"))
    return Panel(
        provider=provider,
        shared=False,
        health=_health(provider, used, known),
        summary=f"Connected with: {used.text}" if used else "Not connected",
        facts=tuple(facts),
        notice=_session_notice(provider, mine, now)
        or (_notice(provider, own, now) if own or not workspace else _notice_for_members(provider, workspace, now)),
        check_ref=used.ref if used else "",
        stored=own.pk if own else None,
        accepts_key=not provider.base_url_required or bool(sources.base_url(provider.provider_id)),
        takes_base_url=False,
        base_url="",
        effect=_effect(provider, without, whose="Your requests"),
        foot=_foot(provider, own, workspace, without),
        session=_session_part(provider, mine, f"p-{provider.provider_id}", now),
    )


def _workspace_panel(
    provider: registry.Provider,
    rows: list[Credential],
    installation: list[Descriptor],
    known: Canonical,
    now: datetime,
) -> Panel:
    shared = [row for row in rows if row.user_id is None]
    row = _key(shared)
    without = used_for(provider.provider_id, installation)
    facts: list[Fact] = [Fact("Key", row.hint, mono=True) if row else Fact("Key", "None")]
    if row:
        facts += [Fact("Added", _day(row.updated_at)), Fact("Last checked", _checked(row, now))]
        facts += [Fact("Base URL", row.base_url, mono=True)] if row.base_url else []
    return Panel(
        provider=provider,
        shared=True,
        health=_health(provider, used_for(provider.provider_id, [*map(descriptor_of, shared)]), known),
        summary="For every member without a key of their own",
        facts=tuple(facts),
        notice=_session_notice(provider, shared, now) or _notice(provider, row, now),
        check_ref=descriptor_of(row).ref if row else "",
        stored=row.pk if row else None,
        accepts_key=True,
        takes_base_url=True,
        base_url=row.base_url if row else "",
        effect=_effect(provider, without, whose="Requests of members without their own key"),
        foot="",
        session=_session_part(provider, shared, f"w-{provider.provider_id}", now),
    )


def _key(rows: Iterable[Credential]) -> Credential | None:
    return next((row for row in rows if row.kind == Credential.Kind.API_KEY), None)


def _session(rows: Iterable[Credential]) -> Credential | None:
    return next((row for row in rows if row.kind == Credential.Kind.SESSION), None)


def _session_part(provider: registry.Provider, rows: list[Credential], at: str, now: datetime) -> SessionPart | None:
    if not provider.sessions:
        return None
    row, key = _session(rows), _key(rows)
    wish = descriptor_of(rows[0]) if rows else None
    facts: list[Fact] = []
    if row:
        facts = [Fact("Session", row.hint, mono=True), Fact("Kind", row.get_method_display())]
        facts += [Fact("Account", row.account)] if row.account else []
        facts += [Fact("Expires", _moment(row.expires_at, now))] if row.expires_at else []
        known = descriptor_of(row, now)
        facts += [Fact("State", "Not allowed here" if known.barred else Credential.State(known.state).label)]
        facts += [Fact("Last checked", _checked(row, now))]
    return SessionPart(
        tuple(facts),
        row.pk if row else None,
        wish.mode if wish else "api_key",
        bool(wish and wish.fallback_allowed),
        key is not None,
        f"{at}-session",
        row.method if row else "",
    )


def _session_notice(provider: registry.Provider, rows: list[Credential], now: datetime) -> Notice | None:
    row = _session(rows)
    wish = descriptor_of(row, now) if row else None
    if wish is None or wish.mode != "session" or wish.state not in Credential.OVER:
        return None
    instead = _key(rows) is not None and wish.fallback_allowed
    then = "The API key stands in for it." if instead else "Requests wait until it is renewed, or a key is preferred."
    what = "has expired" if wish.state == Credential.State.EXPIRED else "cannot be read any more"
    return Notice("warn" if instead else "bad", f"The {provider.label} session {what}.", then)


def _moment(moment: datetime, now: datetime) -> str:
    """An end in UTC; how long it still takes where that is soon."""
    left = moment - now
    if timedelta(0) < left < timedelta(hours=1):
        return f"in {max(1, left.seconds // 60)} min"
    return f"{_day(moment)}, {moment:%H:%M} UTC"


# ---------------------------------------------------------------- words
def _health(provider: registry.Provider, used: Descriptor | None, known: Canonical) -> Health:
    shown = mark(provider.provider_id, used, known)
    return shown.state, shown.text


def _notice(provider: registry.Provider, row: Credential | None, now: datetime) -> Notice | None:
    if row is None or row.checked_at is None:
        return None
    when, ending = ago(row.checked_at, now), row.hint.rpartition("…")[2]
    key = f"The key ending {ending}" if ending and ending != row.hint else "The key"
    if row.state == Credential.State.REFUSED and row.error_code == "permission_denied":
        sentence = f"{key} is known, but its account may not do this ({when}). It may be restricted."
        return Notice("bad", f"{provider.label} does not allow this key.", sentence, replace=True)
    if row.state == Credential.State.REFUSED:
        sentence = f"{key} was refused {when}. It may have been revoked or mistyped."
        return Notice("bad", f"{provider.label} refused this key.", sentence, replace=True)
    if row.state == Credential.State.UNREACHABLE:
        sentence = f"The key is kept, but the check {when} got no answer. Check it again in a moment."
        return Notice("warn", f"{provider.label} is not reachable.", sentence)
    return None


def _notice_for_members(provider: registry.Provider, row: Credential, now: datetime) -> Notice | None:
    if row.state != Credential.State.REFUSED or row.checked_at is None:
        return None
    sentence = f"It was refused {ago(row.checked_at, now)}. Add a key of your own, or ask an administrator."
    return Notice("bad", f"{provider.label} refused the workspace's key.", sentence)


def _effect(provider: registry.Provider, without: Descriptor | None, *, whose: str) -> str:
    if without is None:
        return f"{whose} to {provider.label} stop working until another key is added."
    return f"{whose} to {provider.label} then use the {_kind(without)}."


def _foot(
    provider: registry.Provider, own: Credential | None, workspace: Credential | None, without: Descriptor | None
) -> str:
    if own and workspace:
        return "The workspace also has a key. It is used if you remove yours."
    if own and without:
        return f"If you remove your key, the {_kind(without)} is used."
    if not own and provider.base_url_required and not sources.base_url(provider.provider_id) and not workspace:
        return "It is connected with the address of a server, by an administrator and for the whole workspace."
    return ""


def _kind(used: Descriptor) -> str:
    words = {"workspace": "workspace's key", "environment": "installation's key", "sandbox": "sandbox"}
    return words.get(used.source, "key")


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def _checked(row: Credential, now: datetime) -> str:
    if row.checked_at is None:
        return "Never"
    took = f", {row.latency_ms} ms" if row.latency_ms is not None and row.latency_ms < 1000 else ""
    if row.latency_ms is not None and row.latency_ms >= 1000:
        took = f", {row.latency_ms / 1000:.1f} s"
    return ago(row.checked_at, now) + took


def ago(moment: datetime, now: datetime) -> str:
    """Relative up to an hour, then the clock (UTC), then the date."""
    passed = now - moment
    if passed < timedelta(seconds=10):
        return "just now"
    if passed < timedelta(minutes=1):
        return f"{passed.seconds} s ago"
    if passed < timedelta(hours=1):
        return f"{passed.seconds // 60} min ago"
    return f"at {moment:%H:%M} UTC" if moment.date() == now.date() else f"on {_day(moment)}"
