"""The words a person can write to steer the sandbox: `/slow N`, `/tokens N`, `/fault NAME [after N]`."""

import re
from dataclasses import dataclass

MOST_TOKENS = 200_000

_SLOW = re.compile(r"(?<!\S)/slow[ \t]+(\d{1,6}(?:\.\d{1,3})?)(?!\S)")
_TOKENS = re.compile(r"(?<!\S)/tokens[ \t]+(\d{1,7})(?!\S)")
_FAULT = re.compile(r"(?<!\S)/fault[ \t]+([a-z_]{1,40})(?:[ \t]+after[ \t]+(\d{1,7}))?(?!\S)")


@dataclass(frozen=True, slots=True)
class Directives:
    """`pace` is pieces a second (0: no wait), `length` the pieces of a counted answer, `text` what remains to say."""

    text: str
    pace: float | None = None
    length: int | None = None
    fault: str | None = None
    after: int | None = None


def read(message: str) -> Directives:
    slow, length, fault = (pattern.search(message) for pattern in (_SLOW, _TOKENS, _FAULT))
    rest = message
    for pattern in (_SLOW, _TOKENS, _FAULT):
        rest = pattern.sub("", rest)
    return Directives(
        text=rest.strip(),
        pace=float(slow[1]) if slow else None,
        length=min(int(length[1]), MOST_TOKENS) if length else None,
        fault=fault[1] if fault else None,
        after=int(fault[2]) if fault and fault[2] else None,
    )
