"""A tool as a value: what a model is told of it, and the coroutine that does it. No tool lives here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chat.journal import Writer
from chat.models import Run
from providers.contract import ToolSpec

SECONDS = 20.0


class ToolFailed(Exception):
    """The call gave nothing. The message is for the model and for whoever reads the conversation: what is wrong, and
    what to do instead."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The call that a tool answers: in which run, with what id. `writer` is the run's own journal: a tool that works
    for long may say there what it does, as `status` events."""

    run: Run
    writer: Writer
    call_id: str


type Doing = Callable[[Mapping[str, Any], Scope], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Tool:
    """`call(arguments, scope)` gets arguments that fit the spec's schema, and gives text for the model; whatever it
    raises becomes a result that says so. It runs on the runner's event loop and must not block it. `seconds` bounds
    one call. Without `call` the tool is the client's: the run waits until somebody posts the result."""

    spec: ToolSpec
    call: Doing | None
    seconds: float = SECONDS
