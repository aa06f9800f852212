"""The ring of keys that protects what is stored: the first encrypts, each stored value names the one that opens it."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

# A key id that no ring may hold: what was sealed under it is given up, and opens nowhere.
LOST = "lost"


class Sealed(str):
    """What `encrypt` made: a strict column stores it as it is."""

    __slots__ = ()


class DecryptionFailed(Exception):
    """A stored value cannot be opened; the message never holds any of its bytes."""


GIVEN_UP = Sealed(f"{LOST}$")


@cache
def ring(spec: str) -> tuple[tuple[str, Fernet], ...]:
    """Parse "k2:<fernet key>,k1:<fernet key>". Raises ValueError on nonsense, without echoing a key."""
    keys: list[tuple[str, Fernet]] = []
    for position, entry in enumerate(spec.split(","), start=1):
        name, separator, key = entry.strip().partition(":")
        if not (separator and name.isalnum()):
            raise ValueError(f"entry {position} of FIELD_KEYRING is not <id>:<key>")
        try:
            keys.append((name, Fernet(key)))
        except ValueError:
            raise ValueError(f"the key {name} of FIELD_KEYRING is not a Fernet key") from None
    if LOST in {name for name, _ in keys}:
        raise ValueError(f"FIELD_KEYRING may not name a key {LOST}: that is the name of keys that are gone")
    if len({name for name, _ in keys}) != len(keys):
        raise ValueError("FIELD_KEYRING names one key id twice")
    return tuple(keys)


def names() -> tuple[str, ...]:
    """The ids of the ring's keys; the first encrypts."""
    return tuple(name for name, _ in ring(settings.FIELD_KEYRING))


def key_of(stored: str) -> str:
    """The id of the key that a stored value names; empty for what was never sealed."""
    name, separator, token = stored.partition("$")
    sealed = separator and name.isalnum() and (name == LOST or token.startswith("gAAAA"))
    return name if sealed else ""


def encrypt(plain: str) -> Sealed:
    name, key = ring(settings.FIELD_KEYRING)[0]
    return Sealed(f"{name}${key.encrypt(plain.encode()).decode()}")


def decrypt(stored: str) -> str:
    """Open a value under the key it names. Raises DecryptionFailed for anything else, plaintext included."""
    name, separator, token = stored.partition("$")
    key = dict(ring(settings.FIELD_KEYRING)).get(name) if separator else None
    if key is None:
        raise DecryptionFailed("the value names no key of the ring")
    try:
        return key.decrypt(token.encode()).decode()
    except InvalidToken:
        raise DecryptionFailed(f"the value does not open under key {name}") from None
