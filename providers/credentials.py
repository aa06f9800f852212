"""Stored credentials: what somebody may choose from, keeping and removing a key, and the one place that opens it."""

import hashlib
import hmac
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.dispatch import Signal

from accounts import audit, sealing
from accounts.keyring import DecryptionFailed
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from providers import pasted, policies, registry, sources
from providers.contract import OpenCredential
from providers.database import in_database
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential
from providers.resolution import Descriptor, Resolution, resolve
from providers.secrets import Secret, hint

__all__ = ["Descriptor", "Resolution", "aopen_ref", "changed", "descriptors", "open_ref", "remove", "resolve", "save"]

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
def descriptors(actor: Actor) -> list[Descriptor]:
    """Everything this person may send a request with, in one query and without reading a secret."""
    return [descriptor_of(row) for row in Credential.objects.visible_to(actor)] + sources.descriptors()


def descriptor_of(row: Credential) -> Descriptor:
    source = "workspace" if row.user_id is None else "own"
    return Descriptor(
        f"credential:{row.pk}",
        row.provider_id,
        source,  # type: ignore[arg-type]
        row.kind,
        row.state,
        row.hint,
        row.sandbox,
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
    rows = Credential.objects.filter(keeper, provider_id=provider_id, kind=Credential.Kind.API_KEY)
    rank = {Credential.State.WORKING.value: 0, Credential.State.UNCHECKED.value: 1}
    for row in sorted(rows, key=lambda row: (row.user_id is not None, rank.get(row.state, 2))):
        if not row.sandbox or settings.SANDBOX_URL:
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
        case "sandbox":
            return sources.open_sandbox(name)
        case "credential":
            return _open_row(UUID(name), ref)
    raise ValueError(f"not a credential reference: {scheme}")


def _open_row(pk: UUID, ref: str) -> OpenCredential:
    try:
        row, secret = open_stored(pk)
    except Credential.DoesNotExist:
        gone = "The key was removed before the request went out."
        raise ProviderError(ErrorCode.MISSING_AUTH, gone, provider_id=_provider_of(pk), detail="removed") from None
    except DecryptionFailed:
        lost = "The stored key cannot be read any more. Enter it again."
        raise ProviderError(
            ErrorCode.INVALID_AUTH, lost, provider_id=_provider_of(pk), detail="key_unreadable"
        ) from None
    own = row.base_url or sources.base_url(row.provider_id)
    address = sources.sandbox_url(row.provider_id) if row.sandbox else own
    version = sources.api_version(row.provider_id)
    return OpenCredential(row.provider_id, ref, secret, base_url=address, api_version=version, account=row.fingerprint)


def _provider_of(pk: UUID) -> str:
    return Credential.objects.filter(pk=pk).values_list("provider_id", flat=True).first() or ""


async def aopen_ref(ref: str) -> OpenCredential:
    """As `open_ref`, for a running loop: only a stored key costs a trip to a thread."""
    if not ref.startswith("credential:"):
        return open_ref(ref)
    return await in_database(open_ref, ref)


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
        raise _refused("base_url", "Only a workspace key has a base URL.")
    key, address = accepted(provider_id, secret, base_url)
    owner = {"workspace_id": actor.workspace_id, "user_id": None if shared else actor.user_id}
    values = {
        "label": label.strip()[:80],
        "hint": "no key" if key == sources.NO_KEY else hint(key),
        "fingerprint": fingerprint(key),
        "base_url": address,
        "sandbox": key.startswith(pasted.SANDBOX_PREFIX),
        "state": Credential.State.UNCHECKED,
        "error_code": "",
        "checked_at": None,
        "latency_ms": None,
    }
    with transaction.atomic():
        row = _store(owner | {"provider_id": provider_id, "kind": Credential.Kind.API_KEY}, values, key)
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


def accepted(provider_id: str, secret: str, base_url: str) -> tuple[str, str]:
    """The key and the base URL as they will be stored. Raises Problem 422 whose `field` names what is refused."""
    provider = registry.providers().get(provider_id)
    if provider is None or provider.status != "available":
        known = ", ".join(one.provider_id for one in registry.available())
        raise _refused("provider_id", f"Choose one of {known}.")
    try:
        key = pasted.key(secret) if secret.strip() or provider.key_required else sources.NO_KEY
    except pasted.Refused as refused:
        raise _refused("secret", str(refused)) from None
    sandboxed = key.startswith(pasted.SANDBOX_PREFIX)
    if sandboxed and not settings.SANDBOX_URL:
        raise _refused("secret", "This key is for the sandbox, which does not run here.")
    try:
        address = pasted.base_url(base_url, private_allowed=policies.private_addresses_allowed())
    except pasted.Refused as refused:
        raise _refused("base_url", str(refused)) from None
    if provider.base_url_required and not (address or sandboxed or sources.base_url(provider_id)):
        raise _refused("base_url", "This provider needs the base URL of a server.")
    return key, address


def _refused(field: str, title: str) -> Problem:
    return Problem(422, f"invalid_{field}", title, field=field)


def _store(owner: dict[str, Any], values: dict[str, Any], key: str) -> Credential:
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
    row.delete()
    transaction.on_commit(lambda: changed.send(Credential, provider_id=provider_id))
