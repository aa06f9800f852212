"""What can go wrong on request: the names of the failures, when each strikes, and the ones armed from outside."""

import asyncio
from dataclasses import dataclass
from typing import Any

# Instead of an answer: the vendor's own status and error body; after N pieces, the vendor's error inside the stream.
REFUSALS = frozenset(
    {"bad_key", "expired", "forbidden", "rate_limit", "quota", "too_long", "not_found", "server_error", "overloaded"}
)
# Before the first byte of the answer.
SILENCES = frozenset({"connect", "hang", "slow_first_byte"})
# The answer itself is another one, well formed.
TWISTS = frozenset({"blocked", "empty", "refusal", "length", "split_unicode"})
# In the middle of the answer; the number is how many pieces come first when nobody says it, None is all of them.
STRIKES: dict[str, int | None] = {
    "hang_stream": 3,
    "cut": 3,
    "truncate": None,
    "stream_error": 3,
    "garbage": 3,
    "oversized": 3,
    "unknown_event": 1,
}
NAMES = REFUSALS | SILENCES | TWISTS | STRIKES.keys()
PROVIDERS = ("openai", "anthropic", "gemini", "mistral", "openai_compatible")


@dataclass(frozen=True, slots=True)
class Fault:
    """`after` counts pieces of the answer; `seconds` is the Retry-After of a rate limit or the wait of a slow start."""

    name: str
    after: int | None = None
    seconds: float | None = None

    @property
    def early(self) -> bool:
        """Whether it replaces the answer; a refusal with pieces before it happens inside the stream."""
        return (self.name in REFUSALS and not self.after) or self.name in SILENCES

    @property
    def pieces(self) -> int | None:
        """How many pieces come before it strikes in mid-stream; None is all of them, -1 never."""
        if self.name in STRIKES:
            return STRIKES[self.name] if self.after is None else self.after
        return self.after if self.name in REFUSALS else -1

    @property
    def retry_after(self) -> float:
        return 7 if self.seconds is None else self.seconds

    @property
    def wait(self) -> float:
        return 3 if self.seconds is None else self.seconds


@dataclass(slots=True)
class Armed:
    """`count` requests are still to fail, 0 stands for all until it is deleted; `on` is generate, models or any."""

    provider: str
    fault: Fault
    count: int
    on: str

    def fits(self, provider: str, kind: str) -> bool:
        return self.provider in {provider, "any"} and self.on in {kind, "any"}

    def shown(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "fault": self.fault.name,
            "after": self.fault.after,
            "seconds": self.fault.seconds,
            "count": self.count,
            "on": self.on,
        }


class Board:
    """The faults armed through the control endpoint, taken in the order they came."""

    MOST = 100

    def __init__(self) -> None:
        self.armed: list[Armed] = []
        self.cleared = asyncio.Event()

    def arm(self, order: Any) -> Armed:
        """Raises ValueError with a sentence about what the order lacks."""
        armed = read_order(order)
        if len(self.armed) >= self.MOST:
            raise ValueError(f"At most {self.MOST} faults can be armed.")
        self.armed.append(armed)
        return armed

    def take(self, provider: str, kind: str) -> Fault | None:
        armed = next((one for one in self.armed if one.fits(provider, kind)), None)
        if armed is None:
            return None
        if armed.count == 1:
            self.armed.remove(armed)
        armed.count -= 1 if armed.count else 0
        return armed.fault

    def clear(self) -> None:
        """Disarm everything and let go of the requests that hang."""
        self.armed.clear()
        self.cleared.set()
        self.cleared = asyncio.Event()


def read_order(order: Any) -> Armed:
    if not isinstance(order, dict):
        raise ValueError('Send an object such as {"provider": "openai", "fault": "cut"}.')
    provider, name, on = order.get("provider", "any"), order.get("fault"), order.get("on", "generate")
    if provider not in {*PROVIDERS, "any"}:
        raise ValueError(f"provider must be one of {', '.join(PROVIDERS)} or any.")
    if name not in NAMES:
        raise ValueError(f"fault must be one of {', '.join(sorted(NAMES))}.")
    if on not in {"generate", "models", "any"}:
        raise ValueError("on must be generate, models or any.")
    after, seconds = _amount(order, "after", 1_000_000), _amount(order, "seconds", 3600)
    count = _amount(order, "count", 1_000_000)
    return Armed(
        provider=provider,
        fault=Fault(name, None if after is None else int(after), seconds),
        count=1 if count is None else int(count),
        on=on,
    )


def _amount(order: dict[str, Any], name: str, most: float) -> float | None:
    value = order.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{name} must be a number between 0 and {most:g}.")
    return value
