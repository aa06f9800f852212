"""The Console profile that Anthropic's own command line keeps on this machine, read for the whole installation.

The file belongs to that program: it is read and never written, and a token that has ended is read again, because only
the program renews it. Whether it is read at all is the operator's word.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from providers.sessions.base import held, private, seconds

# The file is looked at anew when its token has less time left.
LEAST_SECONDS = 30.0
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a profile says: its `state` is `active`, `expired`, `malformed` or `absent`; `token` is empty unless it is
    active. `account` names the organisation."""

    state: str
    token: str = field(default="", repr=False)
    expires_at: float | None = None
    account: str = ""


ABSENT, MALFORMED = Profile("absent"), Profile("malformed")


def detect(directory: str, name: str = "default", *, now: float | None = None) -> Profile:
    """Read the profile `name` below `directory`. Never raises: what cannot be trusted is `malformed`."""
    now = time.time() if now is None else now
    if not name or set(name) - _NAME_CHARS or name.startswith("."):
        return MALFORMED
    at = Path(directory)
    secret = at / "credentials" / f"{name}.json"
    if not secret.exists() and not secret.is_symlink():
        return ABSENT
    try:
        profile = private(secret)
        settings = held(at / "configs" / f"{name}.json") if (at / "configs" / f"{name}.json").exists() else {}
    except (OSError, ValueError):
        return MALFORMED
    token, end = profile.get("access_token"), seconds(profile.get("expires_at"))
    if not isinstance(token, str) or not token or any(not "!" <= character <= "~" for character in token):
        return MALFORMED
    account = str(settings.get("organization_id") or "")[:120]
    if end is not None and end - now < LEAST_SECONDS:
        return Profile("expired", expires_at=end, account=account)
    return Profile("active", token, end, account)
