"""What the settings page says about each provider, as plain values; the template only arranges them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.policies import Actor
from providers import registry, sources
from providers.credentials import descriptor_of
from providers.models import Credential
from providers.resolution import Descriptor
from providers.session_parts import (
    Fact,
    Notice,
    SessionPart,
    checked,
    key_of,
    session_facts,
    session_notice,
    session_part,
)
from providers.standing import Canonical, Mark, canonical, mark, used_for, version, way_to
from providers.when import ago, day

type Health = tuple[str, str]  # the mark's state in the stylesheet, and the word beside it


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


@dataclass(frozen=True, slots=True)
class Panels:
    """The person's panels, the workspace's for its administrators (otherwise empty), and the version of the credentials
    that they show."""

    own: list[Panel]
    shared: list[Panel]
    version: str


def panels(actor: Actor, now: datetime | None = None) -> Panels:
    """Two queries, three while a provider is in trouble."""
    now = now or timezone.now()
    rows = list(Credential.objects.visible_to(actor).with_mode())
    installation = sources.descriptors()
    found = [*map(descriptor_of, rows), *installation]
    known = canonical(found)
    own, workspace = [], []
    for provider in registry.available():
        kept = [row for row in rows if row.provider_id == provider.provider_id]
        others = [one for one in installation if one.provider_id == provider.provider_id]
        own.append(_own_panel(provider, kept, others, known, now))
        if actor.administers:
            workspace.append(_workspace_panel(provider, kept, others, known, now))
    return Panels(own, workspace, version(found))


def _own_panel(
    provider: registry.Provider,
    rows: list[Credential],
    installation: list[Descriptor],
    known: Canonical,
    now: datetime,
) -> Panel:
    mine = [row for row in rows if row.user_id is not None]
    theirs = [row for row in rows if row.user_id is None]
    own, workspace = key_of(mine), key_of(theirs)
    way = way_to(provider.provider_id, [*map(descriptor_of, rows), *installation])
    used = way.chosen or way.blocked
    without = used_for(provider.provider_id, [*map(descriptor_of, theirs), *installation])
    facts = [Fact("Key", own.hint, mono=True) if own else Fact("Key", "None of your own")]
    if own:
        facts.append(Fact("Added", day(own.updated_at)))
    elif workspace:
        facts.append(Fact("Workspace key", workspace.hint, mono=True))
    shown = own or workspace
    if shown:
        facts.append(Fact("Last checked", checked(shown, now)))
    instead = " (fallback)" if way.reason else ""
    facts.append(Fact("Used for requests", used.text.partition(" …")[0] + instead if used else "Nothing yet"))
    if used and used.kind == "session" and used.source != "own":
        facts += session_facts(used, now)
    return Panel(
        provider=provider,
        shared=False,
        health=_health(provider, used, known),
        summary=f"Connected with: {used.text}" if used else "Not connected",
        facts=tuple(facts),
        notice=session_notice(provider, mine, now)
        or (_notice(provider, own, now) if own or not workspace else _notice_for_members(provider, workspace, now)),
        check_ref=used.ref if used else "",
        stored=own.pk if own else None,
        accepts_key=not provider.base_url_required or bool(sources.base_url(provider.provider_id)),
        takes_base_url=False,
        base_url="",
        effect=_effect(provider, without, whose="Your requests"),
        foot=_foot(provider, own, workspace, without),
        session=session_part(provider, mine, shared=False, now=now),
    )


def _workspace_panel(
    provider: registry.Provider,
    rows: list[Credential],
    installation: list[Descriptor],
    known: Canonical,
    now: datetime,
) -> Panel:
    shared = [row for row in rows if row.user_id is None]
    row = key_of(shared)
    without = used_for(provider.provider_id, installation)
    facts: list[Fact] = [Fact("Key", row.hint, mono=True) if row else Fact("Key", "None")]
    if row:
        facts += [Fact("Added", day(row.updated_at)), Fact("Last checked", checked(row, now))]
        facts += [Fact("Base URL", row.base_url, mono=True)] if row.base_url else []
    return Panel(
        provider=provider,
        shared=True,
        health=_health(provider, used_for(provider.provider_id, [*map(descriptor_of, shared)]), known),
        summary="For every member without a key of their own",
        facts=tuple(facts),
        notice=session_notice(provider, shared, now) or _notice(provider, row, now),
        check_ref=descriptor_of(row).ref if row else "",
        stored=row.pk if row else None,
        accepts_key=True,
        takes_base_url=True,
        base_url=row.base_url if row else "",
        effect=_effect(provider, without, whose="Requests of members without their own key"),
        foot="",
        session=session_part(provider, shared, shared=True, now=now),
    )


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
