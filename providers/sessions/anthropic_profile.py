"""The Console profile that Anthropic's own command line keeps on this machine, read for the whole installation.

The file belongs to that program: it is read and never written, and a token that has ended is read again, because only
the program renews it. Whether it is read at all is the operator's word.
"""

import json
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from providers.sessions.base import seconds

LONGEST_FILE = 64 * 1024
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
        held = _private(secret)
        settings = _object(at / "configs" / f"{name}.json") if (at / "configs" / f"{name}.json").exists() else {}
    except (OSError, ValueError):
        return MALFORMED
    token, end = held.get("access_token"), seconds(held.get("expires_at"))
    if not isinstance(token, str) or not token or any(not "!" <= character <= "~" for character in token):
        return MALFORMED
    account = str(settings.get("organization_id") or "")[:120]
    if end is not None and end - now < LEAST_SECONDS:
        return Profile("expired", expires_at=end, account=account)
    return Profile("active", token, end, account)


def _private(path: Path) -> dict[str, Any]:
    """A file that is nobody else's to read or to point elsewhere. Raises ValueError or OSError."""
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError("the file is a link, or others may read it")
    return _object(path)


def _object(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        text = file.read(LONGEST_FILE + 1)
    if len(text) > LONGEST_FILE:
        raise ValueError("the file is too long")
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # as every other content that is no profile
    return found
