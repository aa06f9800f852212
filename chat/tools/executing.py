"""Executes the calls of one step: all at once, each within its bounds. Nothing that a tool does fails the run: what
goes wrong is a result that says so."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from chat import outputs, schemas
from chat.protocol import clean
from chat.tools.contract import Scope, Tool, ToolFailed
from providers.contract import ToolCallPart, ToolResultPart

logger = logging.getLogger(__name__)

RESULT_CHARS = 20_000
NAMES_TOLD = 20


async def execute(calls: Sequence[ToolCallPart], tools: Mapping[str, Tool], scope: Scope) -> tuple[ToolResultPart, ...]:
    """The results in the order of the calls; each is in the journal as soon as it is there."""
    return tuple(await asyncio.gather(*(_one(call, tools, scope) for call in calls)))


async def _one(call: ToolCallPart, tools: Mapping[str, Tool], scope: Scope) -> ToolResultPart:
    began = time.monotonic()
    # Collected, not caught: a tool may raise whatever it likes.
    (given,) = await asyncio.gather(_answer(call, tools, scope), return_exceptions=True)
    if isinstance(given, BaseException):
        return note(call, _words(given, call), scope, is_error=True, began=began)
    return note(call, given, scope, began=began)


def note(
    call: ToolCallPart, content: str, scope: Scope, *, is_error: bool = False, began: float | None = None
) -> ToolResultPart:
    """Write a result to the journal; the same text goes to the model."""
    said = bounded(clean(content))
    data: dict[str, Any] = {"tool_call_id": clean(call.call_id), "result": said}
    if is_error:
        data["is_error"] = True
    if began is not None:
        data["ms"] = round((time.monotonic() - began) * 1000)
    scope.writer.add("tool_call_result", data)
    return ToolResultPart(call_id=call.call_id, name=call.name, content=said, is_error=is_error)


def bounded(text: str) -> str:
    """At most RESULT_CHARS characters, and words that say what is missing."""
    if len(text) <= RESULT_CHARS:
        return text
    return f"{text[:RESULT_CHARS]}\n[Cut here: {RESULT_CHARS:,} of {len(text):,} characters are shown.]"


async def _answer(call: ToolCallPart, tools: Mapping[str, Tool], scope: Scope) -> str:
    tool = tools.get(call.name)
    if tool is None:
        raise ToolFailed(f"There is no tool called {call.name[:80]}. {_known(tools)}")
    arguments = await asyncio.to_thread(_arguments, call.arguments, tool.spec.parameters)
    try:
        async with asyncio.timeout(tool.seconds):
            return await tool.call(arguments, Scope(scope.run, scope.writer, call.call_id))
    except TimeoutError:
        raise ToolFailed(f"The tool gave no result within {tool.seconds:g} s.") from None


def _known(tools: Mapping[str, Tool]) -> str:
    names = list(tools)
    more = " and others" if len(names) > NAMES_TOLD else ""
    return f"These can be called: {', '.join(names[:NAMES_TOLD])}{more}." if names else "No tool can be called."


def _arguments(text: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises ToolFailed with what is wrong, so that the model can put it right."""
    try:
        value = outputs.parse(text.strip() or "{}")
        faults = schemas.faults(value, schema)
    except outputs.NotJson as error:
        raise ToolFailed(f"The arguments cannot be read. {error} Call the tool again with a JSON object.") from None
    except schemas.SchemaRefused as error:
        raise ToolFailed(f"The arguments cannot be checked. {error}") from None
    if faults or not isinstance(value, dict):
        wrong = "\n".join(f"- {fault}" for fault in faults) or "- They are no JSON object."
        raise ToolFailed(
            f"The arguments do not fit the tool's schema:\n{wrong}\nCall the tool again with these put right."
        )
    return value


def _words(given: BaseException, call: ToolCallPart) -> str:
    if isinstance(given, ToolFailed):
        return str(given)
    logger.error("the tool %s failed", call.name, exc_info=given)
    return "The tool failed. Do without it, or try something else."
