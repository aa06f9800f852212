"""Which try follows a failed one, and when: a pure rule over a plan's attempts; making a try is `runtime`'s."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
# A second try at once cannot help, or would be the same mistake again.
NOT_AGAIN = frozenset({UNEXPECTED, "pool_exhausted", BUSY_HERE, BREAKER_OPEN})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One place of a plan: which model, through which credential (by reference), and why it stands there.

    `credential_source` and `credential_hint` say whose key it is, for people; neither is needed to make the call.
    Without `tools` the request's tools are left out: the model is not known to take any.
    """

    provider_id: str
    model_id: str
    credential_ref: str
    reason: str = ""
    credential_source: str = ""
    credential_hint: str = ""
    tools: bool = True


class Tries:
    """The tries of one run: every attempt at most three times, at most three attempts, nothing after content.

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
        self.announcement = self._announced("attempt", self.attempt.reason)

    def saw(self, event: StreamEvent) -> None:
        self._shown = self._shown or isinstance(event, CONTENT_EVENTS)

    def go_on(self, error: ProviderError, now: float) -> bool:
        """Whether something can be tried after this failure; if so, `attempt`, `wait` and `announcement` say what."""
        if self._shown or error.partial:
            return False
        wait = self._pause(error) if self._retries < MOST_RETRIES else None
        if wait is not None and now + wait < self.until:
            self._retries += 1
            self.wait = wait
            state = "retry"
        elif self._left and error.code in FALLS_BACK and now < self.until:
            self.attempt = self._left.pop(0)
            self._retries = 0
            self.wait = 0.0
            state = "fallback"
        else:
            return False
        self._number += 1
        self.announcement = self._announced(state, error.code.value)
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

    def _announced(self, state: str, reason: str) -> AttemptChanged:
        wait = round(self.wait, 1) or None
        provider_id, model_id = self.attempt.provider_id, self.attempt.model_id
        return AttemptChanged(state, self._number, provider_id, model_id, reason, wait)
