"""Executes the calls of one step: all at once, each within its bounds. Nothing that a tool does fails the run: what
goes wrong is a result that says so."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chat import outputs, schemas
from chat.tools import waiting
from chat.tools.contract import Doing, Scope, Tool, ToolFailed
from chat.tools.results import Answered, note
from providers.contract import ToolCallPart, ToolResultPart

logger = logging.getLogger(__name__)

NAMES_TOLD = 20


@dataclass(frozen=True, slots=True)
class Ready:
    """A call of a tool that exists, with arguments that fit it."""

    call: ToolCallPart
    tool: Tool
    arguments: Mapping[str, Any]


async def execute(calls: Sequence[ToolCallPart], tools: Mapping[str, Tool], scope: Scope) -> tuple[ToolResultPart, ...]:
    """The results in the order of the calls; each is in the journal as soon as it is there. Raises ProviderError when
    the run's client gave none for a call of its own tools."""
    read = await asyncio.gather(*(asyncio.to_thread(_read, call, tools) for call in calls))
    refused = [(one[0], note(one[0], one[1], scope, is_error=True)) for one in read if not isinstance(one, Ready)]
    ready = [one for one in read if isinstance(one, Ready)]
    theirs = [one.call for one in ready if one.tool.call is None]
    ours = asyncio.gather(*(_one(one, one.tool.call, scope) for one in ready if one.tool.call))
    answered, done = await asyncio.gather(waiting.results(theirs, scope), ours)
    if len(answered) < len(theirs):
        raise waiting.silent(scope.run)
    pairs: list[Answered] = sorted([*refused, *answered, *done], key=lambda pair: calls.index(pair[0]))
    return tuple(result for _, result in pairs)


# ---------------------------------------------------------------- reading
def _read(call: ToolCallPart, tools: Mapping[str, Tool]) -> Ready | tuple[ToolCallPart, str]:
    """The call, or what is wrong with it in words that let the model put it right."""
    tool = tools.get(call.name)
    if tool is None:
        return call, f"There is no tool called {call.name[:80]}. {_known(tools)}"
    try:
        value = outputs.parse(call.arguments.strip() or "{}")
        faults = schemas.faults(value, tool.spec.parameters)
    except outputs.NotJson as error:
        return call, f"The arguments cannot be read. {error} Call the tool again with a JSON object."
    except schemas.SchemaRefused as error:
        return call, f"The arguments cannot be checked. {error}"
    if faults or not isinstance(value, dict):
        wrong = "\n".join(f"- {fault}" for fault in faults) or "- They are no JSON object."
        return call, f"The arguments do not fit the tool's schema:\n{wrong}\nPut this right and call the tool again."
    return Ready(call, tool, value)


def _known(tools: Mapping[str, Tool]) -> str:
    names = list(tools)
    more = " and others" if len(names) > NAMES_TOLD else ""
    return f"These can be called: {', '.join(names[:NAMES_TOLD])}{more}."


# ---------------------------------------------------------------- doing
async def _one(ready: Ready, doing: Doing, scope: Scope) -> Answered:
    began = time.monotonic()
    # Collected, not caught: a tool may raise whatever it likes.
    (given,) = await asyncio.gather(_within(ready, doing, scope), return_exceptions=True)
    failed = isinstance(given, BaseException)
    said = _words(given, ready.call) if isinstance(given, BaseException) else given
    return ready.call, note(ready.call, said, scope, is_error=failed, began=began)


async def _within(ready: Ready, doing: Doing, scope: Scope) -> str:
    try:
        async with asyncio.timeout(ready.tool.seconds):
            return await doing(ready.arguments, replace(scope, call_id=ready.call.call_id))
    except TimeoutError:
        raise ToolFailed(f"The tool gave no result within {ready.tool.seconds:g} s.") from None


def _words(given: BaseException, call: ToolCallPart) -> str:
    if isinstance(given, ToolFailed):
        return str(given)
    logger.error("the tool %s failed", call.name, exc_info=given)
    return "The tool failed. Do without it, or try something else."
