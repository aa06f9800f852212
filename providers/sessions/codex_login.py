"""A login of the Codex command line on this machine: looked at, never renewed and never written; an API key in it can
be taken over. Its renewal tokens are good for one use: a second program that used one would sign the first one out.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from providers.sessions.base import claims, private, seconds

# Without an end in the token, a login that was not renewed for so long has ended.
OLD_SECONDS = 8 * 24 * 3600
_CLAIMS = "https://api.openai.com/auth"


@dataclass(frozen=True, slots=True)
class Login:
    """`state` is `absent`, `malformed`, `api_key` (then there is a `key`), `active` or `expired`; `plan` and `account`
    are what the login says of itself, which nobody has verified."""

    state: str
    key: str = field(default="", repr=False)
    plan: str = ""
    account: str = ""
    expires_at: float | None = None


def detect(directory: str, *, now: float | None = None) -> Login:
    """What `auth.json` below `directory` says. Never raises."""
    now = time.time() if now is None else now
    try:
        found = private(Path(directory) / "auth.json")
    except FileNotFoundError:
        return Login("absent")
    except (OSError, ValueError):
        return Login("malformed")
    key, tokens = found.get("OPENAI_API_KEY"), found.get("tokens")
    if isinstance(key, str) and key:
        return Login("api_key", key=key)
    return _signed_in(tokens, found, now) if isinstance(tokens, dict) else Login("malformed")


def _signed_in(tokens: dict[str, Any], found: dict[str, Any], now: float) -> Login:
    told, access = claims(tokens.get("id_token")), claims(tokens.get("access_token"))
    about = told.get(_CLAIMS)
    plan = str(about.get("chatgpt_plan_type") or "")[:40] if isinstance(about, dict) else ""
    end = seconds(access.get("exp"))
    if end is None and (renewed := _moment(found.get("last_refresh"))) is not None:
        end = renewed + OLD_SECONDS
    state = "active" if end is None or end > now else "expired"
    return Login(state, plan=plan, account=str(told.get("email") or "")[:120], expires_at=end)


def _moment(text: object) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
    except ValueError:
        return None
