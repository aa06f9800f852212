"""Which keys the sandbox takes, and how the others fail."""

import hashlib
import re

GOOD_PREFIXES = ("sandbox-", "sk-", "AIza")
# Mistral's have no prefix.
_PLAIN = re.compile(r"[A-Za-z0-9]{32}")
_ORGANISATION = re.compile(r"org-[a-z0-9]+")
WORDS = {"revoked": "bad_key", "expired": "expired", "forbidden": "forbidden", "noquota": "quota"}


def trouble(key: str, *, listing: bool = False) -> str | None:
    """The name of what is wrong with a key, None for a good one. Listing models costs nothing, so quota allows it."""
    if not key:
        return "missing_key"
    if not key.startswith(GOOD_PREFIXES) and not _PLAIN.fullmatch(key):
        return "bad_key"
    found = next((fault for word, fault in WORDS.items() if word in key), None)
    return None if listing and found == "quota" else found


def account(key: str) -> str:
    """The account behind a key, to which vendors bind what they seal. A key that contains `org-NAME` is one of several
    of that organisation; every other key has an account of its own."""
    named = _ORGANISATION.search(key)
    return named[0] if named else hashlib.sha256(key.encode()).hexdigest()[:16]


def plan(key: str) -> bool:
    """Whether a token stands for a person's ChatGPT plan."""
    return key.startswith("sk-plan-")


def hint(key: str) -> str:
    """Enough of a key to tell two apart in a record."""
    return f"…{key[-4:]}" if key else ""
