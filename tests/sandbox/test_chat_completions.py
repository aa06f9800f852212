"""The Chat Completions wire, at OpenAI and at a compatible server, as OpenAI's own client sees it."""

import json
from typing import Any

import openai as sdk
import pytest
from openai import AsyncOpenAI

pytestmark = pytest.mark.anyio

TOOL = {
    "type": "function",
    "function": {
        "name": "search_notes",
        "description": "Find notes",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}
QUESTION = {"role": "user", "content": 'Search for "fjords"'}


async def chunks(client: AsyncOpenAI, **request: Any) -> list[Any]:
    given = {"model": "compatible-sandbox", "messages": [{"role": "user", "content": "Hello"}]}
    stream: Any = await client.chat.completions.create(
        stream=True, stream_options={"include_usage": True}, **(given | request)
    )
    return [chunk async for chunk in stream]


async def test_text_streams_and_the_usage_comes_last_without_choices(compatible: AsyncOpenAI) -> None:
    seen = await chunks(compatible)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in seen if chunk.choices)
    assert "sandbox" in text
    assert seen[-2].choices[0].finish_reason == "stop"
    assert (seen[-1].choices, seen[-1].usage.completion_tokens > 50) == ([], True)


async def test_a_compatible_server_shows_its_reasoning_and_openai_does_not(
    compatible: AsyncOpenAI, openai: AsyncOpenAI
) -> None:
    shown = await chunks(compatible, reasoning_effort="low")
    hidden = await chunks(openai, model="gpt-sandbox", reasoning_effort="low")
    thoughts = [
        [getattr(c.choices[0].delta, "reasoning_content", None) for c in seen if c.choices] for seen in (shown, hidden)
    ]
    assert [any(texts) for texts in thoughts] == [True, False]
    assert hidden[-1].usage.completion_tokens_details.reasoning_tokens > 20


async def test_a_tool_loop(compatible: AsyncOpenAI) -> None:
    seen = await chunks(compatible, messages=[QUESTION], tools=[TOOL])
    parts = [call for chunk in seen if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
    arguments = "".join(part.function.arguments for part in parts)
    assert (parts[0].function.name, json.loads(arguments)) == ("search_notes", {"query": "fjords"})
    assert seen[-2].choices[0].finish_reason == "tool_calls"
    call = {"id": parts[0].id, "type": "function", "function": {"name": "search_notes", "arguments": arguments}}
    said = [QUESTION, {"role": "assistant", "content": None, "tool_calls": [call]}]
    said.append({"role": "tool", "tool_call_id": parts[0].id, "content": "Two notes"})
    answer = await compatible.chat.completions.create(model="compatible-sandbox", messages=said, tools=[TOOL])  # type: ignore[call-overload]
    assert "`search_notes` answered: Two notes" in answer.choices[0].message.content


async def test_json_by_schema(compatible: AsyncOpenAI) -> None:
    schema = {"type": "object", "properties": {"year": {"type": "integer", "minimum": 1900}}, "required": ["year"]}
    answer = await compatible.chat.completions.create(
        model="compatible-sandbox",
        messages=[{"role": "user", "content": "A year"}],
        response_format={"type": "json_schema", "json_schema": {"name": "year", "schema": schema}},
    )
    assert json.loads(answer.choices[0].message.content or "") == {"year": 1900}


CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (
            [QUESTION, {"role": "tool", "tool_call_id": "c1", "content": "x"}],
            "must be a response to a preceding message",
        ),
        ([QUESTION, CALL], "did not have response messages: c1"),
        ([QUESTION, CALL, QUESTION], "did not have response messages: c1"),
        ([{"role": "user", "content": [{"type": "input_text", "text": "x"}]}], "Invalid value: 'input_text'"),
        ([{"role": "robot", "content": "x"}], "Invalid value: 'robot'"),
        ([], "empty array"),
    ],
)
async def test_it_refuses_what_does_not_belong_together(
    compatible: AsyncOpenAI, messages: list[Any], words: str
) -> None:
    with pytest.raises(sdk.BadRequestError, match=words):
        await chunks(compatible, messages=messages)


async def test_a_refusal_comes_in_its_own_field(openai: AsyncOpenAI) -> None:
    said: Any = [{"role": "user", "content": "Hello /fault refusal"}]
    answer = await openai.chat.completions.create(model="gpt-sandbox", messages=said)
    assert answer.choices[0].message.content is None
    assert "cannot help" in (answer.choices[0].message.refusal or "")
