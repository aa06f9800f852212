"""Anthropic's wire of the sandbox, through Anthropic's own client: what it answers."""

import base64
from typing import Any

import pytest
from anthropic import APIStatusError, AsyncAnthropic, NotFoundError
from anthropic.types import MessageParam, RawMessageStreamEvent, ToolParam

from tests.sandbox.server import SandboxServer

pytestmark = pytest.mark.anyio

OPUS, HAIKU = "claude-sandbox-opus", "claude-sandbox-haiku"
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
HELLO: list[MessageParam] = [{"role": "user", "content": "Hello"}]


def said(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


async def events(anthropic: AsyncAnthropic, **request: Any) -> list[RawMessageStreamEvent]:
    request = {"model": HAIKU, "max_tokens": 4000, "messages": HELLO, **request}
    async with await anthropic.messages.create(**request, stream=True) as stream:
        return [event async for event in stream]


async def test_an_answer_streams_in_the_vendors_events(anthropic: AsyncAnthropic) -> None:
    seen = await events(anthropic)
    kinds = [event.type for event in seen]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}


async def test_streamed_and_whole_answers_say_the_same(anthropic: AsyncAnthropic) -> None:
    message = await anthropic.messages.create(model=HAIKU, max_tokens=4000, messages=HELLO)
    async with anthropic.messages.stream(model=HAIKU, max_tokens=4000, messages=HELLO) as stream:
        streamed = await stream.get_final_message()
    assert message.content[0].type == "text"
    assert message.content[0].text == streamed.content[0].text  # type: ignore[union-attr]
    assert "sandbox" in message.content[0].text
    assert (message.stop_reason, streamed.stop_reason) == ("end_turn", "end_turn")
    assert message.usage.output_tokens == streamed.usage.output_tokens > 10


async def test_cached_input_is_counted_beside_the_rest(anthropic: AsyncAnthropic) -> None:
    long: list[MessageParam] = [
        {"role": "user", "content": "word " * 2000},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "And?"},
    ]
    usage = (await anthropic.messages.create(model=HAIKU, max_tokens=400, messages=long)).usage
    assert usage.cache_read_input_tokens is not None
    assert usage.cache_read_input_tokens > 1024
    assert usage.input_tokens < usage.cache_read_input_tokens


async def test_a_limit_cuts_the_answer(anthropic: AsyncAnthropic) -> None:
    message = await anthropic.messages.create(model=HAIKU, max_tokens=5, messages=HELLO)
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 5)


@pytest.mark.parametrize(
    ("model", "thinking", "shown"),
    [
        (OPUS, {"type": "adaptive", "display": "summarized"}, True),
        (OPUS, {"type": "adaptive"}, False),
        (OPUS, {"type": "disabled"}, None),
        (HAIKU, {"type": "adaptive", "display": "summarized"}, None),
        (HAIKU, {"type": "enabled", "budget_tokens": 1024}, True),
    ],
)
async def test_thoughts_are_shown_hidden_or_not_had(
    anthropic: AsyncAnthropic, model: str, thinking: Any, shown: bool | None
) -> None:
    message = await anthropic.messages.create(model=model, max_tokens=4000, messages=HELLO, thinking=thinking)
    thoughts = [block for block in message.content if block.type == "thinking"]
    assert [bool(block.thinking) for block in thoughts] == ([] if shown is None else [shown])
    assert all(block.signature for block in thoughts)


async def test_a_tool_loop_goes_on_with_its_thoughts(anthropic: AsyncAnthropic) -> None:
    thinking: Any = {"type": "adaptive", "display": "summarized"}
    asked = said("What is the weather in Paris and Rome?")
    request: dict[str, Any] = {"model": OPUS, "max_tokens": 4000, "tools": [WEATHER], "thinking": thinking}
    step = await anthropic.messages.create(messages=asked, **request)
    assert step.stop_reason == "tool_use"
    calls = [block for block in step.content if block.type == "tool_use"]
    assert [call.input for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"} for call in calls]
    turns: list[Any] = [*asked, {"role": "assistant", "content": step.content}, {"role": "user", "content": results}]
    end = await anthropic.messages.create(messages=turns, **request)
    assert end.stop_reason == "end_turn"
    assert "sunny" in end.content[-1].text


async def test_a_schema_shapes_the_answer(anthropic: AsyncAnthropic) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    config: Any = {"format": {"type": "json_schema", "schema": schema}}
    message = await anthropic.messages.create(
        model=HAIKU, max_tokens=400, messages=said("A city"), output_config=config
    )
    assert message.content[0].text.startswith('{"city"')  # type: ignore[union-attr]


async def test_images_and_documents_are_received(anthropic: AsyncAnthropic) -> None:
    data = base64.b64encode(b"12345").decode()
    content: list[Any] = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        {
            "type": "document",
            "title": "a.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": data},
        },
        {"type": "text", "text": "What is this?"},
    ]
    message = await anthropic.messages.create(
        model=HAIKU, max_tokens=4000, messages=[{"role": "user", "content": content}]
    )
    text = message.content[0].text  # type: ignore[union-attr]
    assert "an image of type `image/png`, 5 bytes" in text
    assert "a document “a.pdf” of type `application/pdf`" in text


async def test_a_refusal_has_its_own_stop_reason(anthropic: AsyncAnthropic) -> None:
    message = await anthropic.messages.create(model=HAIKU, max_tokens=400, messages=said("/fault refusal"))
    assert message.stop_reason == "refusal"
    assert message.stop_details is not None
    assert message.stop_details.category == "general_harms"


async def test_the_list_tells_limits_and_goes_on_page_by_page(anthropic: AsyncAnthropic) -> None:
    models = [model async for model in anthropic.models.list(limit=1)]
    assert [model.id for model in models] == [OPUS, HAIKU]
    assert (models[0].max_input_tokens, models[0].max_tokens, models[0].lifecycle) == (1_000_000, 128_000, "active")
    assert models[0].capabilities is not None
    assert models[0].capabilities.thinking.supported
    assert (await anthropic.models.retrieve(HAIKU)).display_name == "Claude Sandbox Haiku"
    with pytest.raises(NotFoundError):
        await anthropic.models.retrieve("claude-none")


@pytest.mark.parametrize(
    ("key", "status", "kind"),
    [
        ("nonsense", 401, "authentication_error"),
        ("sandbox-revoked", 401, "authentication_error"),
        ("sandbox-forbidden", 403, "permission_error"),
        ("sandbox-noquota", 400, "invalid_request_error"),
    ],
)
async def test_keys_fail_as_the_vendor_fails_them(anthropic: AsyncAnthropic, key: str, status: int, kind: str) -> None:
    with pytest.raises(APIStatusError) as caught:
        await anthropic.with_options(api_key=key).messages.create(model=HAIKU, max_tokens=10, messages=HELLO)
    assert (caught.value.status_code, caught.value.type) == (status, kind)
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("rate_limit", 429, "rate_limit_error"),
        ("too_long", 400, "invalid_request_error"),
        ("not_found", 404, "not_found_error"),
        ("blocked", 400, "invalid_request_error"),
        ("server_error", 500, "api_error"),
        ("overloaded", 529, "overloaded_error"),
    ],
)
async def test_faults_have_the_vendors_shape(
    anthropic: AsyncAnthropic, sandbox: SandboxServer, fault: str, status: int, kind: str
) -> None:
    sandbox.arm("anthropic", fault)
    with pytest.raises(APIStatusError) as caught:
        await anthropic.messages.create(model=HAIKU, max_tokens=10, messages=HELLO)
    assert (caught.value.status_code, caught.value.type) == (status, kind)
    assert caught.value.response.headers.get("retry-after") == ("7" if fault == "rate_limit" else None)


async def test_an_error_inside_a_stream_comes_with_status_200(anthropic: AsyncAnthropic) -> None:
    with pytest.raises(APIStatusError) as caught:
        await events(anthropic, messages=said("Hello /fault stream_error after 2"))
    assert (caught.value.status_code, caught.value.type) == (200, "overloaded_error")


async def test_a_truncated_stream_lacks_its_last_event(anthropic: AsyncAnthropic) -> None:
    kinds = [event.type for event in await events(anthropic, messages=said("Hello /fault truncate after 4"))]
    assert kinds[0] == "message_start"
    assert "message_stop" not in kinds
