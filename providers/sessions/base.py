"""What all sources of token sessions share: what is stored of a session, what fetching a new token gives, and how it
fails. No Django, no vendor."""

import base64
import binascii
import json
import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

LONGEST_FILE = 64 * 1024
# Above this a number of seconds would be in the year 5138: then it is one of milliseconds.
_MILLISECONDS = 1e11


class Ended(Exception):
    """No new token will be given any more: somebody has to sign in, or to enter something, again."""


class Unreachable(Exception):
    """No new token now; asking later may help."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The secret part of a session: its token, empty before the first one, and what the next one is fetched with."""

    token: str = field(default="", repr=False)
    keep: Mapping[str, str] = field(default_factory=dict, repr=False)

    def dump(self) -> str:
        return json.dumps({"token": self.token, "keep": dict(self.keep)})

    @classmethod
    def load(cls, text: str) -> Self:
        """Raises ValueError for what is no such session."""
        found = json.loads(text)
        if not (
            isinstance(found, dict) and isinstance(found.get("token"), str) and isinstance(found.get("keep"), dict)
        ):
            raise ValueError("not a stored session")
        return cls(found["token"], {str(name): str(value) for name, value in found["keep"].items()})


@dataclass(frozen=True, slots=True)
class Fetched:
    """A new token: `expires_at` in unix seconds, None for an unknown end; `keep` is what the next one is fetched with,
    `account` whose it is, empty where nobody said."""

    token: str = field(repr=False)
    expires_at: float | None = None
    keep: Mapping[str, str] = field(default_factory=dict, repr=False)
    account: str = ""


# Given where and how to fetch (nothing of it secret) and what is kept for it. Raises Ended or Unreachable.
type Fetch = Callable[[Mapping[str, Any], Mapping[str, str]], Awaitable[Fetched]]


def seconds(value: object) -> float | None:
    """A moment in unix seconds, whether it was written in seconds or in milliseconds; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return value / 1000 if value > _MILLISECONDS else float(value)


def private(path: Path) -> dict[str, Any]:
    """What a file holds that is nobody else's to read or to point elsewhere. Raises ValueError or OSError."""
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError("the file is a link, or others may read it")
    return held(path)


def held(path: Path) -> dict[str, Any]:
    """The object in a file. Raises ValueError or OSError."""
    with path.open("rb") as file:
        text = file.read(LONGEST_FILE + 1)
    if len(text) > LONGEST_FILE:
        raise ValueError("the file is too long")
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # as every other content that is no session
    return found


def claims(token: object) -> dict[str, Any]:
    """What a signed token says, unverified; nothing for what is none."""
    if not isinstance(token, str) or token.count(".") != 2:
        return {}
    body = token.split(".")[1]
    try:
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
