"""What Anthropic's wire of the sandbox refuses, as the vendor does: each request is good but for one thing."""

from typing import Any

import httpx2
import pytest
from anthropic import AsyncAnthropic, BadRequestError

from tests.sandbox.server import SandboxServer

pytestmark = pytest.mark.anyio

OPUS, HAIKU = "claude-sandbox-opus", "claude-sandbox-haiku"
TOOL = {"name": "clock", "input_schema": {"type": "object"}}
THINKING = {"type": "adaptive", "display": "summarized"}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(call_id: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "clock", "input": {}}


def result(call_id: str, **over: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": "noon", **over}


HELLO = user(text("Hello"))
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "MTIz"}}
OPEN = {"type": "object", "properties": {}}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a temperature": ({"temperature": 1.0}, "temperature: Extra inputs are not permitted"),
    "top_p": ({"top_p": 0.9}, "top_p: Extra inputs"),
    "no limit": ({"max_tokens": None}, "max_tokens: Field required"),
    "too high a limit": ({"max_tokens": 65_000}, "maximum allowed number of output tokens"),
    "nobody speaking": ({"messages": []}, "at least one message is required"),
    "the model first": ({"messages": [assistant(text("Hi")), HELLO]}, "first message must use"),
    "an answer begun": ({"messages": [HELLO, assistant(text("I think"))]}, "assistant message prefill"),
    "empty text": ({"messages": [user(text(""))]}, "must be non-empty"),
    "blank text": ({"messages": [user(text(" \n"))]}, "non-whitespace"),
    "a document of the model's": ({"messages": [HELLO, assistant(PDF), HELLO]}, "Input tag 'document'"),
    "a call of a person's": ({"messages": [user(call("toolu_1"))]}, "Input tag 'tool_use'"),
    "a call without its result": (
        {"messages": [HELLO, assistant(call("toolu_1")), HELLO]},
        "were found without `tool_result` blocks immediately after: toolu_1",
    ),
    "a result too late": (
        {"messages": [HELLO, assistant(call("toolu_1")), user(text("wait"), result("toolu_1"))]},
        "without `tool_result` blocks immediately after",
    ),
    "results in two messages": (
        {"messages": [HELLO, assistant(call("a"), call("b")), user(result("a")), assistant(text("Hm")), HELLO]},
        "immediately after: b",
    ),
    "a result of nothing": ({"messages": [user(result("toolu_9"))]}, "unexpected `tool_use_id`"),
    "one id for two calls": (
        {"messages": [HELLO, assistant(call("a"), call("a")), user(result("a"))]},
        "ids must be unique",
    ),
    "an id with a colon": ({"messages": [HELLO, assistant(call("a:0")), user(result("a:0"))]}, "match pattern"),
    "a failure without words": (
        {"messages": [HELLO, assistant(call("a")), user(result("a", is_error=True, content=""))]},
        "content cannot be empty",
    ),
    "a choice without tools": ({"tool_choice": {"type": "auto"}}, "only be specified while providing tools"),
    "thinking before a forced call": (
        {"model": OPUS, "tools": [TOOL], "tool_choice": {"type": "any"}, "thinking": THINKING},
        "Thinking may not be enabled",
    ),
    "a budget that leaves nothing": (
        {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
        "must be greater than",
    ),
    "an effort by another name": ({"output_config": {"effort": "minimal"}}, "output_config.effort"),
    "an open schema": ({"output_config": {"format": {"type": "json_schema", "schema": OPEN}}}, "additionalProperties"),
    "an unsigned thought": (
        {"messages": [HELLO, assistant({"type": "thinking", "thinking": "hm", "signature": ""}, text("a")), HELLO]},
        "Invalid `signature` in `thinking` block",
    ),
    "a made-up signature": (
        {"messages": [HELLO, assistant({"type": "thinking", "thinking": "h", "signature": "eA=="}, text("a")), HELLO]},
        "bound to a different conversation",
    ),
    "a loop that begins without a thought": (
        {
            "messages": [HELLO, assistant(call("a")), user(result("a"))],
            "tools": [TOOL],
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        },
        "Expected `thinking` or `redacted_thinking`",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_the_vendor_refuses_is_refused(anthropic: AsyncAnthropic, case: str) -> None:
    over, words = REFUSED[case]
    body = {"model": HAIKU, "max_tokens": 4000, "messages": [HELLO], **over}
    sent = {name: value for name, value in body.items() if value is not None}
    with pytest.raises(BadRequestError) as caught:
        await anthropic.post("/v1/messages", body=sent, cast_to=httpx2.Response)
    assert caught.value.type == "invalid_request_error"
    assert words in str(caught.value.api_message)


@pytest.mark.parametrize(
    ("model", "first"), [(HAIKU, "Hello"), (OPUS, "Goodbye")], ids=["another model", "another conversation"]
)
async def test_a_thought_is_bound_to_its_model_and_to_what_came_before(
    anthropic: AsyncAnthropic, model: str, first: str
) -> None:
    options: Any = {"max_tokens": 4000, "thinking": THINKING}
    answer = await anthropic.messages.create(model=OPUS, messages=[{"role": "user", "content": "Hello"}], **options)
    turns: list[Any] = [user(text(first)), {"role": "assistant", "content": answer.content}, user(text("And?"))]
    with pytest.raises(BadRequestError, match="bound to a different conversation"):
        await anthropic.messages.create(model=model, messages=turns, **options)
    turns[0] = user(text("Hello"))
    assert (await anthropic.messages.create(model=OPUS, messages=turns, **options)).stop_reason == "end_turn"


async def test_a_key_in_the_old_header_is_no_key(sandbox: SandboxServer, http: httpx2.AsyncClient) -> None:
    answer = await http.post(
        f"{sandbox.anthropic}/v1/messages",
        headers={"x-api-key": "sandbox-key"},
        json={"model": HAIKU, "max_tokens": 10, "messages": [HELLO]},
    )
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
