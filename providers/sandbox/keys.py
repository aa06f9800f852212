"""Which keys the sandbox takes, and how the others fail."""

import re

GOOD_PREFIXES = ("sandbox-", "sk-", "AIza")
# Mistral's have no prefix.
_PLAIN = re.compile(r"[A-Za-z0-9]{32}")
WORDS = {"revoked": "bad_key", "expired": "expired", "forbidden": "forbidden", "noquota": "quota"}


def trouble(key: str, *, listing: bool = False) -> str | None:
    """The name of what is wrong with a key, None for a good one. Listing models costs nothing, so quota allows it."""
    if not key:
        return "missing_key"
    if not key.startswith(GOOD_PREFIXES) and not _PLAIN.fullmatch(key):
        return "bad_key"
    found = next((fault for word, fault in WORDS.items() if word in key), None)
    return None if listing and found == "quota" else found


def hint(key: str) -> str:
    """Enough of a key to tell two apart in a record."""
    return f"…{key[-4:]}" if key else ""
