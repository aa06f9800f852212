"""What a tool does never fails a run: each call gives exactly one result, in words when it went wrong."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from chat.journal import Journal
from chat.models import Run
from chat.tools.contract import Scope, Tool, ToolFailed
from chat.tools.executing import execute
from providers.contract import ToolCallPart, ToolResultPart, ToolSpec

pytestmark = pytest.mark.anyio

SCHEMA = {
    "type": "object",
    "properties": {"how": {"type": "string"}, "times": {"type": "integer", "minimum": 1}},
    "required": ["how"],
    "additionalProperties": False,
}


async def behave(arguments: Mapping[str, Any], scope: Scope) -> str:
    match arguments["how"]:
        case "fail":
            raise ToolFailed("This is not there.")
        case "crash":
            raise RuntimeError("a secret of the house")
        case "cancel":
            raise asyncio.CancelledError
        case "hang":
            await asyncio.sleep(60)
        case "long":
            return "x" * 60_000
    return f"done by {scope.call_id}"


TOOLS = {"act": Tool(ToolSpec("act", "Acts.", SCHEMA), behave, seconds=0.05)}


async def result_of(arguments: str, name: str = "act") -> tuple[ToolResultPart, dict[str, Any]]:
    writer = Journal("here").open(uuid4(), uuid4())
    call = ToolCallPart(call_id="c1", name=name, arguments=arguments)
    (given,) = await execute([call], TOOLS, Scope(Run(), writer, ""))
    ((event_type, data),) = writer.pending
    assert event_type == "tool_call_result"
    assert (data["result"], data.get("is_error", False)) == (given.content, given.is_error)
    return given, data


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"how": "fail"}', "This is not there."),
        ('{"how": "crash"}', "The tool failed. Do without it, or try something else."),
        ('{"how": "cancel"}', "The tool failed. Do without it, or try something else."),
        ('{"how": "hang"}', "The tool gave no result within 0.05 s."),
        ('{"how": ', "The arguments cannot be read. This is not JSON: Expecting value in line 1, column 8."),
        ("[1]", "The arguments do not fit the tool's schema:\n- [1] is not of type 'object'"),
        ("{}", "The arguments do not fit the tool's schema:\n- 'how' is a required property"),
        ('{"how": "well", "times": 0}', "- /times: 0 is less than the minimum of 1"),
    ],
)
async def test_what_goes_wrong_is_a_result(arguments: str, said: str) -> None:
    given, _ = await result_of(arguments)
    assert given.is_error
    assert said in given.content


async def test_an_unknown_tool_is_answered_with_those_that_exist() -> None:
    given, _ = await result_of("{}", name="fly")
    assert given.content == "There is no tool called fly. These can be called: act."
    assert given.is_error


async def test_a_tool_knows_its_call_and_says_how_long_it_took() -> None:
    given, data = await result_of('{"how": "well"}')
    assert (given.call_id, given.name, given.content) == ("c1", "act", "done by c1")
    assert 0 <= data["ms"] < 5_000


async def test_a_long_result_is_cut_and_says_so() -> None:
    given, _ = await result_of('{"how": "long"}')
    assert given.content == "x" * 50_000 + "\n[Cut here: 50,000 of 60,000 characters are shown.]"


async def test_a_stop_reaches_what_is_running() -> None:
    writer = Journal("here").open(uuid4(), uuid4())
    hanging = Tool(TOOLS["act"].spec, behave, seconds=60)
    call = ToolCallPart(call_id="c1", name="act", arguments='{"how": "hang"}')
    running = asyncio.create_task(execute([call], {"act": hanging}, Scope(Run(), writer, "")))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert writer.pending == []
