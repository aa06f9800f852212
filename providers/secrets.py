"""What a page may show of a provider's key; the type that carries one is `accounts.secrets`."""

from accounts.secrets import MASK, Secret

__all__ = ["MASK", "PUBLIC_PREFIXES", "Secret", "hint"]

# The beginnings that vendors give every key of a kind; they say what a key is for and nothing about its value.
PUBLIC_PREFIXES = ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-ant-", "sk-", "AIza", "AQ.", "sandbox-")


def hint(value: str) -> str:
    """What a page may show of a key: its public prefix and last four characters, or nothing of a short one."""
    if len(value) < 20:
        return "…"
    prefix = next((prefix for prefix in PUBLIC_PREFIXES if value.startswith(prefix)), "")
    return f"{prefix}…{value[-4:]}"
