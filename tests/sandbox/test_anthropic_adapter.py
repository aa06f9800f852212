"""Our adapter and the sandbox's Anthropic wire, which holds it to the vendor's order, ids and signatures."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from providers import http, registry
from providers.contract import (
    GenerateRequest,
    MediaPart,
    Message,
    OpenCredential,
    Origin,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from providers.errors import ErrorCode, ProviderError
from providers.events import Finished, FinishReason
from providers.secrets import Secret
from tests.sandbox.server import SandboxServer

pytestmark = pytest.mark.anyio

OPUS, HAIKU = "claude-sandbox-opus", "claude-sandbox-haiku"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = ToolSpec("get_weather", "Tells the weather.", CITY)


@pytest.fixture
async def credential(sandbox: SandboxServer) -> AsyncIterator[OpenCredential]:
    yield OpenCredential("anthropic", "sandbox:anthropic", Secret("sandbox-key"), base_url=sandbox.anthropic)
    await http.close()


def person(text: str) -> Message:
    return Message("user", (TextPart(text=text),))


async def answer(credential: OpenCredential, *messages: Message, model: str = OPUS, **over: Any) -> Finished:
    return await registry.runtime("anthropic").generate(credential, GenerateRequest(model, messages, **over))


def results(step: Message) -> Message:
    calls = [part for part in step.parts if isinstance(part, ToolCallPart)]
    return Message("tool", tuple(ToolResultPart(call_id=c.call_id, name=c.name, content="sunny") for c in calls))


def words(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, TextPart))


@pytest.mark.parametrize("effort", [None, "high", "none"])
@pytest.mark.parametrize("model", [OPUS, HAIKU])
async def test_a_tool_loop_of_two_steps_ends_in_words(
    credential: OpenCredential, model: str, effort: str | None
) -> None:
    told = [person("Before"), (await answer(credential, person("Before"), model=model)).message]
    told.append(person('The weather in "Oslo", then in "Paris"'))
    asked: dict[str, Any] = {"model": model, "tools": (TOOL,), "reasoning_effort": effort}
    for _ in range(2):
        end = await answer(credential, *told, **asked)
        assert end.reason is FinishReason.TOOL_CALLS
        told += [end.message, results(end.message)]
    end = await answer(credential, *told, **asked)
    assert (end.reason, "2 tool results" in words(end.message)) == (FinishReason.STOP, True)


async def test_parallel_calls_are_answered_together(credential: OpenCredential) -> None:
    asked = person("weather in Oslo, Paris, Rome")
    step = (await answer(credential, asked, tools=(TOOL,))).message
    end = await answer(credential, asked, step, results(step), tools=(TOOL,))
    assert "3 tool results" in words(end.message)


async def test_a_conversation_goes_on_with_the_other_model_and_after_an_edit(credential: OpenCredential) -> None:
    asked = person("Think")
    step = (await answer(credential, asked)).message
    assert any(isinstance(part, ReasoningPart) and part.opaque["signature"] for part in step.parts)
    for model, first in ((OPUS, asked), (HAIKU, asked), (OPUS, person("Something else"))):
        assert words((await answer(credential, first, step, person("more"), model=model)).message)


async def test_a_loop_begun_by_another_vendor_goes_on(credential: OpenCredential) -> None:
    call = ToolCallPart(call_id="functions.get_weather:0", name="get_weather", arguments='{"city":"Oslo"}')
    step = Message("assistant", (replace(call, origin=Origin("openai", "gpt"), opaque={"type": "function_call"}),))
    end = await answer(credential, person("weather in Oslo"), step, results(step), tools=(TOOL,))
    assert "sunny" in words(end.message)


@pytest.mark.parametrize(
    "messages",
    [
        (person("a"), Message("assistant", (TextPart(text="b"),))),
        (person("a"), person("b")),
        (Message("assistant", (TextPart(text="a"),)), person("b")),
        (person("a"), Message("assistant", (ReasoningPart(text="hm"),)), person("b")),
    ],
    ids=["answer last", "two questions", "answer first", "thoughts only"],
)
async def test_no_order_of_messages_is_refused(credential: OpenCredential, messages: tuple[Message, ...]) -> None:
    assert (await answer(credential, *messages)).reason is FinishReason.STOP


async def test_a_person_may_speak_before_the_results_were_read(credential: OpenCredential) -> None:
    asked = person("weather in Oslo")
    step = (await answer(credential, asked, tools=(TOOL,))).message
    end = await answer(credential, asked, step, results(step), person("stop"))
    assert end.reason is FinishReason.STOP


async def test_everything_at_once_is_taken(credential: OpenCredential) -> None:
    question = Message(
        "user",
        (
            TextPart(text="Hello"),
            MediaPart(media_type="image/png", data=b"12345"),
            MediaPart(media_type="application/pdf", data=b"123", filename="a.pdf"),
        ),
    )
    schema = ("place", {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}})
    asked: dict[str, Any] = {"system": "Be brief.", "tools": (TOOL,), "temperature": 0.2, "end_user": "u-1"}
    assert "an image of type `image/png`, 5 bytes" in words((await answer(credential, question, **asked)).message)
    assert words((await answer(credential, question, response_schema=schema, **asked)).message).startswith("{")


async def test_the_list_says_what_each_model_can(credential: OpenCredential) -> None:
    models = await registry.runtime("anthropic").list_models(credential)
    assert [one.model_id for one in models] == [OPUS, HAIKU]
    assert [(one.context_window, one.supports_reasoning) for one in models] == [(1_000_000, True), (200_000, False)]
    check = await registry.runtime("anthropic").validate_credential(credential)
    assert (check.ok, check.model_count) == (True, 2)


@pytest.mark.parametrize(
    ("fault", "code", "partial"),
    [
        ("bad_key", ErrorCode.INVALID_AUTH, False),
        ("expired", ErrorCode.INVALID_AUTH, False),
        ("forbidden", ErrorCode.PERMISSION_DENIED, False),
        ("rate_limit", ErrorCode.RATE_LIMITED, False),
        ("rate_limit after 3", ErrorCode.RATE_LIMITED, True),
        ("quota", ErrorCode.QUOTA_EXCEEDED, False),
        ("too_long", ErrorCode.CONTEXT_TOO_LONG, False),
        ("not_found", ErrorCode.MODEL_NOT_FOUND, False),
        ("blocked", ErrorCode.CONTENT_BLOCKED, False),
        ("server_error", ErrorCode.PROVIDER_UNAVAILABLE, False),
        ("overloaded", ErrorCode.PROVIDER_UNAVAILABLE, False),
        ("connect", ErrorCode.PROVIDER_UNAVAILABLE, False),
        ("cut after 3", ErrorCode.PROVIDER_UNAVAILABLE, True),
        ("truncate after 3", ErrorCode.PROVIDER_UNAVAILABLE, True),
        ("stream_error after 3", ErrorCode.PROVIDER_UNAVAILABLE, True),
        ("garbage after 3", ErrorCode.PROVIDER_UNAVAILABLE, True),
        ("oversized after 3", ErrorCode.PROVIDER_UNAVAILABLE, True),
    ],
)
async def test_every_failure_has_its_code(
    credential: OpenCredential, fault: str, code: ErrorCode, *, partial: bool
) -> None:
    with pytest.raises(ProviderError) as caught:
        await answer(credential, person(f"hi /tokens 9 /fault {fault}"), model=HAIKU)
    assert (caught.value.code, caught.value.partial) == (code, partial)
    assert partial or fault == "connect" or caught.value.request_id


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("empty", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("refusal", FinishReason.REFUSAL),
        ("blocked after 3", FinishReason.REFUSAL),
        ("split_unicode", FinishReason.STOP),
        ("unknown_event", FinishReason.STOP),
    ],
)
async def test_odd_answers_are_answers(credential: OpenCredential, fault: str, reason: FinishReason) -> None:
    end = await answer(credential, person(f"hi /fault {fault}"))
    assert end.reason is reason
    assert ("😀" in words(end.message)) == (fault == "split_unicode")
