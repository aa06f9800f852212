"""Keeping token sessions, and what their owners prefer; renewing them is `renewal`."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from providers import accepting, credentials, pasted, policies, registry, sources
from providers.models import Credential
from providers.preferences import AuthMode, CredentialPolicy
from providers.resolution import Reference
from providers.secrets import hint
from providers.sessions import workload_identity
from providers.sessions.base import Stored

ACCOUNT_CHARS = 120
FIELD_CHARS = 200


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody enters for a session. `secret` is the token itself, or with the method `workload_identity` the
    subject token, which may be empty where the operator named a file; `exchange` then has the vendor's fields."""

    provider_id: str
    secret: str = field(repr=False)
    shared: bool = False
    method: str = Credential.Method.BEARER
    expires_at: datetime | None = None
    account: str = ""
    base_url: str = ""
    exchange: dict[str, str] = field(default_factory=dict)
    fallback_allowed: bool = False


def save(actor: Actor, given: Given) -> Credential:
    """Store a session, or replace the one that is there, and prefer it from now on. Raises Problem 403 (not an
    administrator) or 422 (`field` names what is refused)."""
    if given.shared or given.base_url:
        policies.require_sharing(actor)
    if given.base_url and not given.shared:
        raise accepting.refused("base_url", "Only a workspace session has a base URL.")
    row = _owner(actor, given.provider_id, shared=given.shared) | {"kind": Credential.Kind.SESSION}
    key, values = _accepted(given)
    with transaction.atomic():
        saved = credentials.store(row, values, key)
        credentials.note("credential.stored", saved, actor.user_id)
        _prefer(actor, given.provider_id, AuthMode.Mode.SESSION, given.fallback_allowed, shared=given.shared)
    transaction.on_commit(lambda: credentials.changed.send(Credential, provider_id=given.provider_id))
    return saved


def prefer(actor: Actor, *, provider_id: str, mode: str, fallback_allowed: bool, shared: bool) -> None:
    """What goes out first from now on. Raises Problem 403 or 422."""
    if shared:
        policies.require_sharing(actor)
    require_sessions(provider_id)
    with transaction.atomic():
        _prefer(actor, provider_id, mode, fallback_allowed, shared=shared)
    transaction.on_commit(lambda: credentials.changed.send(Credential, provider_id=provider_id))


def require_sessions(provider_id: str) -> None:
    provider = registry.providers().get(provider_id)
    if provider is None or provider.status != "available" or not provider.sessions:
        known = ", ".join(one.provider_id for one in registry.available() if one.sessions)
        raise accepting.refused("provider_id", f"Sessions are known of {known}.")


def _prefer(actor: Actor, provider_id: str, mode: str, fallback_allowed: bool, *, shared: bool) -> None:
    AuthMode.objects.update_or_create(
        **_owner(actor, provider_id, shared=shared), defaults={"mode": mode, "fallback_allowed": fallback_allowed}
    )
    source = "workspace" if shared else "own"
    facts = {"mode": mode, "fallback_allowed": fallback_allowed, "source": source}
    audit.note(actor, "credential.mode_set", provider_id, **facts)


def _owner(actor: Actor, provider_id: str, *, shared: bool) -> dict[str, Any]:
    user_id: UUID | None = None if shared else actor.user_id
    return {"workspace_id": actor.workspace_id, "user_id": user_id, "provider_id": provider_id}


# ---------------------------------------------------------------- what may be kept
def _accepted(given: Given) -> tuple[str, dict[str, Any]]:
    """What is sealed, and the columns beside it."""
    require_sessions(given.provider_id)
    if given.expires_at is not None and given.expires_at <= timezone.now():
        raise accepting.refused("expires_at", "This moment has passed already.")
    address = accepting.address(given.base_url)
    if given.method == Credential.Method.WORKLOAD_IDENTITY:
        secret, exchange = _exchange(given)
        key, shown, mark = Stored("", {"subject": secret} if secret else {}).dump(), "workload identity", secret
    else:
        key = mark = _token(given.secret)
        shown, exchange = hint(key), {}
    sandboxed = key.startswith(pasted.SANDBOX_PREFIX)
    accepting.check_sandbox(sandboxed=sandboxed)
    values = {
        "label": "",
        "hint": shown,
        "fingerprint": credentials.fingerprint(mark or str(sorted(exchange.items()))),
        "base_url": address,
        "sandbox": sandboxed,
        "state": Credential.State.UNCHECKED,
        "error_code": "",
        "checked_at": None,
        "latency_ms": None,
        "method": given.method,
        "account": given.account.strip()[:ACCOUNT_CHARS],
        "expires_at": given.expires_at if given.method == Credential.Method.BEARER else None,
        "exchange": exchange,
        "renewing_until": None,
    }
    return key, values


def _token(text: str) -> str:
    try:
        return pasted.token(text)
    except pasted.Refused as refused:
        raise accepting.refused("secret", str(refused)) from None


def _exchange(given: Given) -> tuple[str, dict[str, str]]:
    """The subject token, and where and how it is exchanged."""
    policies.require_workload_identity(shared=given.shared)
    vendor = given.provider_id
    required, optional = workload_identity.FIELDS[vendor]
    told = {name: str(given.exchange.get(name, "")).strip()[:FIELD_CHARS] for name in (*required, *optional)}
    if missing := [name for name in required if not told[name]]:
        raise accepting.refused("exchange", f"Fill in {', '.join(missing)}.")
    endpoint = accepting.address(given.exchange.get("endpoint", ""), field="exchange")
    held = {name: value for name, value in told.items() if value}
    held |= {"vendor": vendor, "endpoint": endpoint or sources.token_endpoint(vendor)}
    if given.secret.strip():
        return _token(given.secret), held
    if not policies.subject_token_file():
        raise accepting.refused("secret", "Paste the subject token; the operator has named no file with one.")
    if endpoint or given.base_url:
        # The installation's token, and what it is exchanged for, go where the operator sends them and nowhere else.
        raise accepting.refused("exchange", "The installation's own token is exchanged at the vendor's address only.")
    return "", held | {"subject_file": policies.subject_token_file()}


# ---------------------------------------------------------------- named by a request
def reference(actor: Actor, ref: str) -> Reference:
    """The credential that a request names, by its id or its reference. Raises Problem 403 where the workspace does not
    allow that, 404 for what this person may not use."""
    if not CredentialPolicy.objects.filter(workspace_id=actor.workspace_id, references=True).exists():
        raise Problem(
            403,
            "policy_denied",
            "This workspace does not let a request name its credential.",
            "Leave `credential` out, or ask an administrator to allow it.",
        )
    named = ref if ":" in ref else f"credential:{ref}"
    found = next((one for one in credentials.descriptors(actor) if one.ref == named), None)
    if found is None:
        raise not_found()
    return Reference(found.ref, found.provider_id)
