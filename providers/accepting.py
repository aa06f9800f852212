"""What may be kept as a key, and where it may be sent; keeping it is `credentials`."""

from django.conf import settings

from accounts.problems import Problem
from providers import pasted, policies, registry, sources


def accepted(provider_id: str, secret: str, base_url: str) -> tuple[str, str]:
    """The key and the base URL as they will be stored. Raises Problem 422 whose `field` names what is refused."""
    provider = registry.providers().get(provider_id)
    if provider is None or provider.status != "available":
        known = ", ".join(one.provider_id for one in registry.available())
        raise refused("provider_id", f"Choose one of {known}.")
    try:
        key = pasted.key(secret) if secret.strip() or provider.key_required else sources.NO_KEY
    except pasted.Refused as why:
        raise refused("secret", str(why)) from None
    sandboxed = key.startswith(pasted.SANDBOX_PREFIX)
    check_sandbox(sandboxed=sandboxed)
    where = address(base_url)
    if provider.base_url_required and not (where or sandboxed or sources.base_url(provider_id)):
        raise refused("base_url", "This provider needs the base URL of a server.")
    return key, where


def check_sandbox(*, sandboxed: bool) -> None:
    if sandboxed and not settings.SANDBOX_URL:
        raise refused("secret", "This key is for the sandbox, which does not run here.")


def address(text: str, field: str = "base_url") -> str:
    """A base URL as it may be stored. Raises Problem 422."""
    try:
        return pasted.base_url(text, private_allowed=policies.private_addresses_allowed())
    except pasted.Refused as why:
        raise refused(field, str(why)) from None


def refused(field: str, title: str) -> Problem:
    return Problem(422, f"invalid_{field}", title, field=field)
