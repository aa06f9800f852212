"""Which of one owner's two kinds of credential a provider is asked with: the table, as a pure function."""

from dataclasses import dataclass
from typing import Literal

from providers.errors import ErrorCode

type Mode = Literal["api_key", "session"]
type Session = Literal["active", "expired", "malformed", "absent", "unsupported"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Either a `kind` to use or an `error`. `reason` says why a key stands in for the session that is preferred:
    `session_expired`, `session_malformed`, `session_absent`, `session_unsupported`; otherwise it is empty."""

    kind: Mode | None
    error: ErrorCode | None = None
    reason: str = ""


# What is missing where no key stands in. A provider that knows no sessions is as one whose session is not there.
_ERRORS = {
    "expired": ErrorCode.SESSION_EXPIRED,
    "malformed": ErrorCode.INVALID_AUTH,
    "absent": ErrorCode.MISSING_AUTH,
    "unsupported": ErrorCode.MISSING_AUTH,
}


def choose(preferred: Mode, session: Session, *, key: bool, fallback_allowed: bool) -> Choice:
    """One row of the table. Preferred keys never fall to a session; a preferred session falls to a key (`key` says that
    there is one) only where that is allowed."""
    if preferred == "api_key":
        return Choice("api_key") if key else Choice(None, ErrorCode.MISSING_AUTH)
    if session == "active":
        return Choice("session")
    if key and fallback_allowed:
        return Choice("api_key", reason=f"session_{session}")
    return Choice(None, _ERRORS[session])
