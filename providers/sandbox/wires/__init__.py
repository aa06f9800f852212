"""The wires: one module for each vendor's way of asking and answering. Here lives what they have in common."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from providers.sandbox.answers import Answer
from providers.sandbox.asks import JSON, Ask


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes to send. `delta` marks a piece of the answer, `terminal` what tells a client that the answer is whole."""

    data: bytes
    delta: bool = False
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A vendor's error answer."""

    status: int
    body: JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Where:
    """What a request says beside its body: `model` and `stream` where the path has them, `account` by its key;
    with `plan` a person's ChatGPT plan shall answer."""

    account: str
    model: str = ""
    stream: bool = False
    plan: bool = False


class Refused(Exception):
    """The request is wrong; carries the vendor's own answer to it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status)
        self.problem = problem


class Telling(Protocol):
    """One answer on its way, in the vendor's words."""

    def frames(self) -> Iterator[Frame]: ...

    def whole(self) -> JSON: ...

    def failure(self, fault: str) -> bytes:
        """The vendor's error inside a stream that began well."""
        ...

    def novelty(self) -> bytes:
        """An event that no client knows yet and every client must survive."""
        ...


class Wire(Protocol):
    provider: str

    def key(self, headers: dict[str, str]) -> str:
        """The key that came with a request, empty for none."""
        ...

    def problem(self, fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
        """The vendor's error answer for a fault, None when the vendor has no status for it."""
        ...

    def read(self, body: Any, where: Where) -> Ask:
        """Raises Refused."""
        ...

    def tell(self, ask: Ask, answer: Answer, body: JSON) -> Telling: ...


def encoded(value: Any) -> str:
    """Compact JSON as vendors send it: UTF-8, except for half a surrogate pair, which only an escape can carry."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text
