"""What a model says, in no vendor's words: each vendor's module writes the same answer on its own wire."""

import json
from dataclasses import dataclass
from typing import Any

# The one usage that every wire reports: inclusive totals of 30 in (10 cached) and 20 out (5 of them reasoning).
INPUT, CACHED, OUTPUT, REASONING = 30, 10, 20, 5
MODEL = "model-1"
RESPONSE_ID = "answer-1"
SOURCE = {"url": "https://example.com/a", "title": "A source"}


@dataclass(frozen=True, slots=True)
class Call:
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`finish` is `stop`, `length`, `blocked` or `odd`, a word no wire has defined yet."""

    text: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    finish: str = "stop"
    cited: bool = False
    unknown: bool = False
    terminal: bool = True


WEATHER = Call("call_1", "weather", '{"city":"Paris"}')
CLOCK = Call("call_2", "clock", '{"zone":"UTC"}')


def sse(value: object, event: str = "", end: str = "\n") -> bytes:
    """One event; JSON as vendors write it, with escapes for everything beyond ASCII."""
    name = f"event: {event}{end}" if event else ""
    return f"{name}data: {json.dumps(value)}{end}{end}".encode()


def halves(text: str) -> tuple[str, str]:
    """A text cut in the middle of its last surrogate pair."""
    wide = text.encode("utf-16-le", "surrogatepass")
    return wide[:-2].decode("utf-16-le", "surrogatepass"), wide[-2:].decode("utf-16-le", "surrogatepass")


type Refusal = tuple[int, dict[str, Any], dict[str, str]]
