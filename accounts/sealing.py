"""Binds a secret to the row that holds it, and gives it out to that row alone.

Fernet has no associated data, so what the value belongs to is inside of what is encrypted: a ciphertext that was copied
to another row, or kept from an earlier address of this one, opens nothing.
"""

import json
from typing import Protocol

from accounts import redaction
from accounts.keyring import DecryptionFailed
from accounts.secrets import Secret


class Holder(Protocol):
    """A row with a sealed column. `sealed_for` says what its secret is bound to, and never changes while one is kept:
    whoever changes a part of it enters the secret again."""

    @property
    def sealed_for(self) -> str: ...


def seal(row: Holder, secret: str) -> Secret:
    """What to put into the column."""
    return bind(row.sealed_for, secret)


def unseal(row: Holder, held: Secret | None) -> Secret:
    """The secret, which no log shows from now on. Raises DecryptionFailed for what is not this row's own."""
    if held is None:
        raise DecryptionFailed("the row holds no secret")
    return released(row.sealed_for, held.reveal())


def bind(context: str, secret: str) -> Secret:
    redaction.remember(secret)
    return Secret(json.dumps([context, secret]))


def released(context: str, opened: str) -> Secret:
    """The secret of what was opened, if it was sealed in this context. Raises DecryptionFailed."""
    secret = check(context, opened)
    redaction.remember(secret)
    return Secret(secret)


def check(context: str, opened: str) -> str:
    """As `released`, for looks that use nothing: what no caller wants need not be remembered."""
    bound_to, secret = _parts(opened)
    if bound_to != context:
        raise DecryptionFailed("the secret belongs to another row")
    return secret


def unbound(opened: str) -> Secret:
    """The same where the row was checked before, when it was read. Raises DecryptionFailed."""
    secret = _parts(opened)[1]
    redaction.remember(secret)
    return Secret(secret)


def _parts(opened: str) -> tuple[str, str]:
    try:
        context, secret = json.loads(opened)
    except (ValueError, TypeError):
        raise DecryptionFailed("the value was not sealed for a row") from None
    if not (isinstance(context, str) and isinstance(secret, str)):
        raise DecryptionFailed("the value was not sealed for a row")
    return context, secret
