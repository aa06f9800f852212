"""The seeds of recovery codes and of one-time passwords. allauth keeps them in a JSON column and seals one without
saying whose it is; here it is bound to its person and kind before it is stored, and checked when it is read."""

import base64
import logging
import secrets
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models.signals import post_init, pre_save

from accounts import keyring, sealing
from accounts.keyring import DecryptionFailed

log = logging.getLogger(__name__)

# Where allauth puts them in the JSON, by kind of factor; passkeys have none.
NAMES: dict[str, str] = {Authenticator.Type.RECOVERY_CODES: "seed", Authenticator.Type.TOTP: "secret"}


def connect() -> None:
    pre_save.connect(_bind, sender=Authenticator, dispatch_uid="accounts.seeds-bind")
    post_init.connect(_check, sender=Authenticator, dispatch_uid="accounts.seeds-check")


def sealed_for(row: Authenticator) -> str:
    return f"v1|{row.type}|{row.user_id}"


def opened(stored: str) -> str:
    """The seed that was stored for whomever. Raises DecryptionFailed."""
    return sealing.unbound(keyring.decrypt(stored)).reveal()


def opened_or_useless(stored: str) -> str:
    """The seed, or one that nobody knows instead of one that does not open: no code fits, and no page breaks."""
    try:
        return opened(stored)
    except DecryptionFailed as failed:
        log.warning("the seed of a second factor cannot be read: %s", failed)
        return base64.b32encode(secrets.token_bytes(40)).decode()


def readable(row: Authenticator) -> bool:
    try:
        opened(row.data[NAMES[row.type]])
    except (DecryptionFailed, KeyError, AttributeError):
        return False
    return True


def _bind(instance: Authenticator, raw: bool = False, **_: Any) -> None:
    name = NAMES.get(instance.type)
    if name and instance._state.adding and not raw:  # noqa: SLF001 - Django's documented way to ask
        seed = keyring.decrypt(instance.data[name])
        instance.data[name] = keyring.encrypt(sealing.bind(sealed_for(instance), seed).reveal())


def _check(instance: Authenticator, **_: Any) -> None:
    """A seed that was copied to somebody else's row is none."""
    kind, data = instance.__dict__.get("type"), instance.__dict__.get("data")
    if kind not in NAMES or not instance.pk or not isinstance(data, dict):
        return
    try:
        sealing.check(sealed_for(instance), keyring.decrypt(str(data.get(NAMES[kind]))))
    except DecryptionFailed:
        instance.data = data | {NAMES[kind]: keyring.GIVEN_UP}
