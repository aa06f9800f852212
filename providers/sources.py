"""Credentials that nobody stored: the installation's own keys from its settings, and the development sandbox."""

from django.conf import settings

from providers import redaction, registry
from providers.contract import OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.resolution import Descriptor
from providers.secrets import Secret, hint
from providers.sessions import workload_identity

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
    """The sandbox stands in for providers that the installation has no key of its own for."""
    return bool(settings.SANDBOX_URL) and provider_id in SANDBOX_PATHS and not in_environment(provider_id)


def descriptors() -> list[Descriptor]:
    """One per available provider at most."""
    found = []
    for provider in registry.available():
        name = provider.provider_id
        if in_environment(name):
            key = settings.PROVIDER_KEYS.get(name, "")
            shown = hint(key) if key else "no key"
            found.append(Descriptor(f"environment:{name}", name, "environment", "api_key", "unchecked", shown))
        elif in_sandbox(name):
            found.append(Descriptor(f"sandbox:{name}", name, "sandbox", "api_key", "working", "sandbox", sandbox=True))
    return found


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
