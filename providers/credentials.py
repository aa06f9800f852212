"""Stored credentials: what somebody may choose from, keeping and removing a key, and the one place that opens it."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.dispatch import Signal
from django.utils import timezone

from accounts import audit, redaction, sealing
from accounts.keyring import DecryptionFailed
from accounts.policies import Actor
from accounts.problems import not_found
from providers import accepting, pasted, policies, sources
from providers.contract import OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential
from providers.preferences import AuthMode
from providers.resolution import Descriptor, Resolution, resolve
from providers.secrets import Secret, hint
from providers.sessions.base import Stored

__all__ = ["Descriptor", "Resolution", "changed", "descriptors", "open_ref", "remove", "resolve", "save"]

# Sent after a credential was stored or removed and committed, with `provider_id`.
changed = Signal()


# ---------------------------------------------------------------- sealed, bound to a row
def fingerprint(key: str) -> str:
    """Tells whether two keys are the same to whoever has the pepper, and nothing else to anybody."""
    return hmac.new(settings.FINGERPRINT_PEPPER.encode(), key.encode(), hashlib.sha256).hexdigest()[:32]


def open_stored(pk: UUID) -> tuple[Credential, Secret]:
    """Read one row's key. Raises Credential.DoesNotExist, or DecryptionFailed for what is not this row's own secret."""
    row = Credential.objects.defer(None).get(pk=pk)
    return row, sealing.unseal(row, row.secret)


# ---------------------------------------------------------------- choosing
def descriptors(actor: Actor, *, relayed: bool = False) -> list[Descriptor]:
    """Everything this person may send a request with, in one query and without reading a secret. What must not be used
    says why; `relayed` requests came through the OpenAI-compatible API."""
    rows = Credential.objects.visible_to(actor).with_mode()
    found = [descriptor_of(row) for row in rows] + sources.descriptors()
    return [replace(one, barred=barred(one.method, relayed=relayed)) for one in found] if relayed else found


def barred(method: str, *, relayed: bool = False) -> str:
    """Why a session of this kind must not be used, empty where it may: a plan answers its owner here, and nothing that
    another program asks for."""
    if not policies.method_allowed(method):
        return "not_allowed"
    return "not_relayed" if relayed and method == Credential.Method.OPENAI_CHATGPT else ""


def descriptor_of(row: Credential, now: datetime | None = None) -> Descriptor:
    """Without its secret; the owner's preference is there for rows that were read `with_mode`."""
    now = now or timezone.now()
    return Descriptor(
        f"credential:{row.pk}",
        row.provider_id,
        "workspace" if row.user_id is None else "own",
        row.kind,  # type: ignore[arg-type]
        Credential.State.EXPIRED if row.ended(now) else row.state,
        row.hint,
        row.sandbox,
        mode=getattr(row, "mode", None) or "api_key",
        fallback_allowed=bool(getattr(row, "fallback_allowed", False)),
        method=row.method,
        account=row.account,
        expires_at=row.expires_at.timestamp() if row.expires_at else None,
        barred=barred(row.method),
        checked_at=row.checked_at,
    )


def for_listing(provider_id: str) -> list[list[Descriptor]]:
    """With what the shared catalog may list a provider's models: groups, one per place that answers.

    In each group the first that works is enough. The vendor's own address is asked with the installation's key; without
    one, with a workspace's key, then with a member's own. A base URL of a workspace is a place of its own; so is the
    sandbox.
    """
    places: dict[str, list[Descriptor]] = {}
    for descriptor in sources.descriptors():
        if descriptor.provider_id == provider_id:
            places["sandbox" if descriptor.sandbox else ""] = [descriptor]
    # The keys of people who left the workspace are not asked any more.
    keeper = Q(user__isnull=True) | Q(user__memberships__workspace=F("workspace"))
    # What has ended lists nothing.
    rows = Credential.objects.filter(keeper, provider_id=provider_id).exclude(state__in=Credential.OVER)
    rank = {Credential.State.WORKING.value: 0, Credential.State.UNCHECKED.value: 1}
    for row in sorted(rows, key=lambda row: (row.user_id is not None, rank.get(row.state, 2))):
        if (not row.sandbox or settings.SANDBOX_URL) and not barred(row.method):
            places.setdefault("sandbox" if row.sandbox else row.base_url, []).append(descriptor_of(row))
    return [group[:3] for group in list(places.values())[:20]]


# ---------------------------------------------------------------- opening
def open_ref(ref: str) -> OpenCredential:
    """The credential that a plan chose, with its secret, for one call.

    Raises ProviderError: missing_auth when it is gone, invalid_auth when it cannot be read. A reference is not a
    permission: it comes from `resolve` over what the actor may use.
    """
    scheme, _, name = ref.partition(":")
    match scheme:
        case "environment":
            return sources.open_environment(name)
        case "environment_session":
            return sources.open_session(name)
        case "sandbox":
            return sources.open_sandbox(name)
        case "credential":
            return hold(UUID(name)).opened
    raise ValueError(f"not a credential reference: {scheme}")


@dataclass(frozen=True, slots=True)
class Held:
    """A stored credential that was opened: its row, the credential for a call, and of a session that renews itself what
    its next token is fetched with."""

    row: Credential
    opened: OpenCredential
    keep: Mapping[str, str] = field(default_factory=dict, repr=False)


def hold(pk: UUID) -> Held:
    """Open a stored credential as it stands. Raises ProviderError as `open_ref` does."""
    try:
        row, secret = open_stored(pk)
        stored = Stored.load(secret.reveal()) if row.renews else Stored(secret.reveal())
    except Credential.DoesNotExist:
        gone = "The key was removed before the request went out."
        raise ProviderError(ErrorCode.MISSING_AUTH, gone, provider_id=_provider_of(pk), detail="removed") from None
    except (DecryptionFailed, ValueError):
        lost = "The stored key cannot be read any more. Enter it again."
        raise ProviderError(
            ErrorCode.INVALID_AUTH, lost, provider_id=_provider_of(pk), detail="key_unreadable"
        ) from None
    if barred(row.method):
        words = f"The operator of this installation does not allow this kind of session: {row.get_method_display()}."
        raise ProviderError(ErrorCode.POLICY_DENIED, words, provider_id=row.provider_id)
    own = row.base_url or sources.base_url(row.provider_id)
    where = sources.sandbox_url(row.provider_id) if row.sandbox else own
    version = sources.api_version(row.provider_id)
    for value in (stored.token, *stored.keep.values()):
        redaction.remember(value)
    # The account behind a session that renews itself stays the same from token to token.
    account = f"{row.pk}|{row.account}" if row.renews else row.fingerprint
    opened = OpenCredential(
        row.provider_id,
        f"credential:{pk}",
        Secret(stored.token),
        kind=row.kind,  # type: ignore[arg-type]
        base_url=where,
        api_version=version,
        account=account,
        method=row.method,
    )
    return Held(row, opened, stored.keep)


def _provider_of(pk: UUID) -> str:
    return Credential.objects.filter(pk=pk).values_list("provider_id", flat=True).first() or ""


# ---------------------------------------------------------------- keeping
def save(
    actor: Actor, *, provider_id: str, secret: str, shared: bool, label: str = "", base_url: str = ""
) -> Credential:
    """Store a key, or replace the one that is there: one per provider for a person, one for the workspace.

    A base URL is never changed without the key being entered again, so nobody can redirect a key that another person
    entered. Raises Problem 403 (not an administrator) or 422 (provider, key or base URL refused; `field` names it).
    """
    if shared or base_url:
        policies.require_sharing(actor)
    if base_url and not shared:
        raise accepting.refused("base_url", "Only a workspace key has a base URL.")
    key, where = accepting.accepted(provider_id, secret, base_url)
    owner = {"workspace_id": actor.workspace_id, "user_id": None if shared else actor.user_id}
    values = {
        "label": label.strip()[:80],
        "hint": "no key" if key == sources.NO_KEY else hint(key),
        "fingerprint": fingerprint(key),
        "base_url": where,
        "sandbox": key.startswith(pasted.SANDBOX_PREFIX),
        "state": Credential.State.UNCHECKED,
        "error_code": "",
        "checked_at": None,
        "latency_ms": None,
    }
    with transaction.atomic():
        row = store(owner | {"provider_id": provider_id, "kind": Credential.Kind.API_KEY}, values, key)
        note("credential.stored", row, actor.user_id)
    transaction.on_commit(lambda: changed.send(Credential, provider_id=provider_id))
    return row


def note(action: str, row: Credential, by: UUID | None) -> None:
    """What was done to a credential goes into the audit, by its hint and fingerprint."""
    facts = {"source": row.source, "kind": row.kind, "fingerprint": row.fingerprint}
    audit.record(action, user=by, workspace_id=row.workspace_id, target=f"{row.provider_id} {row.hint}", data=facts)


def note_check(actor: Actor, what: str) -> None:
    """Written before the key is used; `what` is a reference, or says which are meant."""
    audit.note(actor, "credential.checked", what)


def store(owner: dict[str, Any], values: dict[str, Any], key: str) -> Credential:
    """The owner's row with these columns and this secret, whether it was there or not."""
    with transaction.atomic():
        row = Credential.objects.select_for_update().filter(**owner).first() or Credential(**owner)
        for name, value in values.items():
            setattr(row, name, value)
        row.secret = sealing.seal(row, key)
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            # Somebody stored one at the same moment: theirs is the row, the last writer's key is in it.
            row = Credential.objects.select_for_update().get(**owner)
            for name, value in values.items():
                setattr(row, name, value)
            row.secret = sealing.seal(row, key)
            row.save()
    return row


def editable(actor: Actor, pk: UUID) -> Credential:
    """A credential this person may change. Raises Problem 404 for what they cannot see, 403 for what they only see."""
    row: Credential | None = Credential.objects.visible_to(actor).filter(pk=pk).first()
    if row is None:
        raise not_found()
    if row.user_id is None:
        policies.require_sharing(actor)
    return row


def remove(actor: Actor, pk: UUID) -> None:
    """Forget a key. Runs that were about to use it fail with `missing_auth`. Raises Problem 404 or 403."""
    forget(editable(actor, pk), by=actor.user_id)


@transaction.atomic
def forget(row: Credential, *, by: UUID | None = None) -> None:
    """Remove a row that somebody was already allowed to remove."""
    provider_id = row.provider_id
    note("credential.removed", row, by)
    if row.kind == Credential.Kind.SESSION:
        # What is not there any more is not preferred any more.
        AuthMode.objects.filter(workspace=row.workspace_id, user=row.user_id, provider_id=provider_id).delete()
    row.delete()
    transaction.on_commit(lambda: changed.send(Credential, provider_id=provider_id))
