"""Which try follows a failed one, and when: a pure rule over a plan's attempts; making a try is `runtime`'s."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from providers.errors import ErrorCode, ProviderError
from providers.events import CONTENT_EVENTS, AttemptChanged, StreamEvent
from providers.faults import UNEXPECTED
from providers.guard import BREAKER_OPEN, BUSY_HERE, LONGEST_WAIT_SECONDS

MOST_ATTEMPTS = 3
MOST_RETRIES = 2
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 4.0

# What another provider may do better. Never what a person has to put right, nor what a filter refused.
FALLS_BACK = frozenset(
    {ErrorCode.PROVIDER_UNAVAILABLE, ErrorCode.TIMEOUT, ErrorCode.RATE_LIMITED, ErrorCode.QUOTA_EXCEEDED}
)
# A session that is over, cannot be read, or was removed meanwhile.
ENDS_SESSIONS = frozenset({ErrorCode.SESSION_EXPIRED, ErrorCode.INVALID_AUTH, ErrorCode.MISSING_AUTH})
# The detail of a session whose renewal was tried and failed: it is not tried again.
NOT_RENEWED = "not_renewed"
# A second try at once cannot help, or would be the same mistake again.
NOT_AGAIN = frozenset({UNEXPECTED, "pool_exhausted", BUSY_HERE, BREAKER_OPEN})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One place of a plan: which model, through which credential (by reference), and why it stands there.

    `credential_source` and `credential_hint` say whose key it is, for people; neither is needed to make the call.
    Without `tools` the request's tools are left out: the model is not known to take any. A session (`credential_kind`)
    may have a backup: the key of the same owner that stands in when the session fails.
    """

    provider_id: str
    model_id: str
    credential_ref: str
    reason: str = ""
    credential_source: str = ""
    credential_hint: str = ""
    tools: bool = True
    credential_kind: str = "api_key"
    backup_ref: str = ""
    backup_hint: str = ""

    def with_backup(self) -> Self:
        """The same place through the key that stands in for its session."""
        return replace(
            self,
            credential_ref=self.backup_ref,
            credential_hint=self.backup_hint,
            credential_kind="api_key",
            backup_ref="",
            backup_hint="",
        )


class Tries:
    """The tries of one run: every attempt at most three times, at most three attempts, nothing after content. A session
    that is refused is renewed once (`renewing` says that this try is for that), then its backup stands in.

    `until` is the deadline of all of them, on the caller's clock; `jitter(low, high)` gives seconds.
    """

    def __init__(
        self, attempts: Sequence[Attempt], *, until: float, jitter: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._left = list(attempts[:MOST_ATTEMPTS])
        self.attempt = self._left.pop(0)
        self.until = until
        self.wait = 0.0
        self._jitter = jitter
        self._retries = 0
        self._number = 1
        self._shown = False
        self._renewed = False
        self.renewing = False
        self.announcement = self._announced("attempt", self.attempt.reason)

    def saw(self, event: StreamEvent) -> None:
        self._shown = self._shown or isinstance(event, CONTENT_EVENTS)

    def go_on(self, error: ProviderError, now: float) -> bool:
        """Whether something can be tried after this failure; if so, `attempt`, `wait` and `announcement` say what."""
        if self._shown or error.partial:
            return False
        self.renewing = False
        if error.code in ENDS_SESSIONS and self.attempt.credential_kind == "session":
            return now < self.until and self._mend(error)
        wait = self._pause(error) if self._retries < MOST_RETRIES else None
        if wait is not None and now + wait < self.until:
            self._retries += 1
            self.wait = wait
            state = "retry"
        elif self._left and error.code in FALLS_BACK and now < self.until:
            self.attempt = self._left.pop(0)
            self._retries = 0
            self.wait = 0.0
            self._renewed = False
            state = "fallback"
        else:
            return False
        self._number += 1
        self.announcement = self._announced(state, error.code.value)
        return True

    def _mend(self, error: ProviderError) -> bool:
        """A session was refused: renew it, or else go on with the key that may stand in for it."""
        self.wait = 0.0
        if error.code is ErrorCode.SESSION_EXPIRED and not self._renewed and error.detail != NOT_RENEWED:
            self._renewed = self.renewing = True
            state, backup = "renewal", False
        elif self.attempt.backup_ref:
            self.attempt = self.attempt.with_backup()
            state, backup = "fallback", True
        else:
            return False
        self._number += 1
        self.announcement = self._announced(state, error.code.value, backup=backup)
        return True

    def _pause(self, error: ProviderError) -> float | None:
        """Seconds before the same attempt is tried again, or None when it is not."""
        asked = error.retry_after
        if error.detail in NOT_AGAIN or (asked is not None and asked > LONGEST_WAIT_SECONDS):
            return None
        match error.code:
            case ErrorCode.PROVIDER_UNAVAILABLE:
                return max(self._backoff(), asked or 0.0)
            case ErrorCode.RATE_LIMITED if asked is not None:
                # A little later than asked, or everybody who waits comes back at the same moment.
                return asked + self._jitter(0.0, SHORTEST_PAUSE)
            case ErrorCode.TIMEOUT if error.detail == "connect":
                return self._backoff()
        return None

    def _backoff(self) -> float:
        return self._jitter(SHORTEST_PAUSE, min(LONGEST_PAUSE, 2.0 * 2**self._retries))

    def _announced(self, state: str, reason: str, *, backup: bool = False) -> AttemptChanged:
        wait = round(self.wait, 1) or None
        provider_id, model_id = self.attempt.provider_id, self.attempt.model_id
        return AttemptChanged(state, self._number, provider_id, model_id, reason, wait, backup)
