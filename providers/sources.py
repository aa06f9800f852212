"""Credentials that nobody stored: the installation's own keys from its settings, and the development sandbox."""

from dataclasses import replace
from typing import Any

from django.conf import settings

from providers import redaction, registry
from providers.contract import OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.resolution import Descriptor
from providers.secrets import Secret, hint
from providers.sessions import anthropic_profile, workload_identity
from providers.tries import NOT_RENEWED

# Where the sandbox speaks each wire, below its address.
SANDBOX_PATHS = {
    "openai": "/openai/v1",
    "anthropic": "/anthropic",
    "gemini": "/gemini",
    "mistral": "/mistral",
    "openai_compatible": "/compatible/v1",
}
SANDBOX_KEY = "sandbox-key"
# What goes over the wire to a server that wants no key.
NO_KEY = "none"


def in_environment(provider_id: str) -> bool:
    provider = registry.providers()[provider_id]
    if provider.base_url_required and not settings.PROVIDER_BASE_URLS.get(provider_id):
        return False
    return bool(settings.PROVIDER_KEYS.get(provider_id)) or not provider.key_required


def in_sandbox(provider_id: str) -> bool:
    """The sandbox stands in for providers that the installation has no credential of its own for."""
    own = in_environment(provider_id) or has_session(provider_id)
    return bool(settings.SANDBOX_URL) and provider_id in SANDBOX_PATHS and not own


def has_session(provider_id: str) -> bool:
    """Whether the operator named a session of the installation for this provider."""
    return provider_id == "anthropic" and bool(settings.ANTHROPIC_PROFILE)


def descriptors() -> list[Descriptor]:
    """One per available provider at most, two where the installation has a session beside its key."""
    found = []
    for provider in registry.available():
        name = provider.provider_id
        session = has_session(name)
        if session:
            found.append(_session(name))
        if in_environment(name):
            key = settings.PROVIDER_KEYS.get(name, "")
            shown = hint(key) if key else "no key"
            one = Descriptor(f"environment:{name}", name, "environment", "api_key", "unchecked", shown)
            found.append(replace(one, **_preferred()) if session else one)
        elif in_sandbox(name):
            found.append(Descriptor(f"sandbox:{name}", name, "sandbox", "api_key", "working", "sandbox", sandbox=True))
    return found


def _session(name: str) -> Descriptor:
    """The installation's session as it stands on the disk."""
    found = anthropic_profile.detect(settings.ANTHROPIC_PROFILE_DIR, settings.ANTHROPIC_PROFILE)
    # A named profile that is not there has to be put right as one that cannot be read.
    state = {"active": "unchecked", "expired": "expired"}.get(found.state, "malformed")
    return Descriptor(
        f"environment_session:{name}",
        name,
        "environment",
        "session",
        state,
        f"profile {settings.ANTHROPIC_PROFILE}"[:24],
        method="anthropic_profile",
        account=found.account,
        expires_at=found.expires_at,
        **_preferred(),
    )


def _preferred() -> Any:
    """An operator who names a session means it to be used."""
    return {"mode": "session", "fallback_allowed": settings.SESSION_FALLBACK}


def open_session(provider_id: str, refused: Secret | None = None) -> OpenCredential:
    """The installation's session, read anew: whoever keeps the file renews it. Raises ProviderError."""
    if not has_session(provider_id):
        raise ProviderError(ErrorCode.MISSING_AUTH, "The installation has no session.", provider_id=provider_id)
    found = anthropic_profile.detect(settings.ANTHROPIC_PROFILE_DIR, settings.ANTHROPIC_PROFILE)
    if found.state not in {"active", "expired"}:
        words = "The installation's session cannot be read."
        raise ProviderError(ErrorCode.INVALID_AUTH, words, provider_id=provider_id, detail="key_unreadable")
    secret = Secret(found.token)
    if found.state == "expired" or secret == refused:
        words = "The installation's session has ended. The operator signs in again with the vendor's command line."
        raise ProviderError(ErrorCode.SESSION_EXPIRED, words, provider_id=provider_id, detail=NOT_RENEWED)
    redaction.remember(found.token)
    ref, account = f"environment_session:{provider_id}", f"profile:{found.account or settings.ANTHROPIC_PROFILE}"
    return OpenCredential(provider_id, ref, secret, "session", base_url(provider_id), account=account)


def token_endpoint(provider_id: str) -> str:
    """Where this provider exchanges tokens: beside the address that the operator set for it, or the vendor's own."""
    if provider_id == "anthropic" and (own := base_url(provider_id)):
        return own.rstrip("/").removesuffix("/v1") + "/v1/oauth/token"
    return workload_identity.ENDPOINTS[provider_id]


def sandbox_url(provider_id: str) -> str:
    """Raises ProviderError(missing_auth) when no sandbox runs: what is meant for it must not go anywhere else."""
    if not settings.SANDBOX_URL or provider_id not in SANDBOX_PATHS:
        raise ProviderError(ErrorCode.MISSING_AUTH, "The sandbox is not running.", provider_id=provider_id)
    return settings.SANDBOX_URL + SANDBOX_PATHS[provider_id]


def base_url(provider_id: str) -> str:
    """The operator's address for a provider, empty for the vendor's own."""
    address: str = settings.PROVIDER_BASE_URLS.get(provider_id, "")
    return address


def api_version(provider_id: str) -> str:
    """The version that the operator chose, for the one vendor whose address has it apart."""
    chosen: str = settings.GEMINI_API_VERSION
    return chosen if provider_id == "gemini" else ""


def open_environment(provider_id: str) -> OpenCredential:
    """Raises ProviderError(missing_auth) when the operator took the key away."""
    if provider_id not in registry.providers() or not in_environment(provider_id):
        raise ProviderError(ErrorCode.MISSING_AUTH, "The installation has no key.", provider_id=provider_id)
    secret = settings.PROVIDER_KEYS.get(provider_id) or NO_KEY
    redaction.remember(secret)
    ref = f"environment:{provider_id}"
    return OpenCredential(
        provider_id, ref, Secret(secret), base_url=base_url(provider_id), api_version=api_version(provider_id)
    )


def open_sandbox(provider_id: str) -> OpenCredential:
    return OpenCredential(provider_id, f"sandbox:{provider_id}", Secret(SANDBOX_KEY), base_url=sandbox_url(provider_id))
