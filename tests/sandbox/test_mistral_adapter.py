"""Our adapter and the sandbox's Mistral wire, which holds it to the vendor's order, ids and signatures."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from providers import http, registry
from providers.contract import (
    GenerateRequest,
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

LARGE, THINKER = "mistral-sandbox-large", "magistral-sandbox"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = ToolSpec("get_weather", "Tells the weather.", CITY)


@pytest.fixture
async def credential(sandbox: SandboxServer) -> AsyncIterator[OpenCredential]:
    yield OpenCredential("mistral", "sandbox:mistral", Secret("sandbox-key"), base_url=f"{sandbox.url}/mistral")
    await http.close()


def person(text: str) -> Message:
    return Message("user", (TextPart(text=text),))


async def answer(credential: OpenCredential, *messages: Message, model: str = LARGE, tools: bool = False) -> Finished:
    request = GenerateRequest(model, messages, tools=(TOOL,) if tools else ())
    return await registry.runtime("mistral").generate(credential, request)


def results(step: Message) -> Message:
    calls = [part for part in step.parts if isinstance(part, ToolCallPart)]
    return Message("tool", tuple(ToolResultPart(call_id=c.call_id, name=c.name, content="sunny") for c in calls))


def words(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, TextPart))


@pytest.mark.parametrize("model", [LARGE, THINKER])
async def test_a_tool_loop_of_two_steps_ends_in_words(credential: OpenCredential, model: str) -> None:
    told = [person('The weather in "Oslo", then in "Paris"')]
    for _ in range(2):
        end = await answer(credential, *told, model=model, tools=True)
        assert end.reason is FinishReason.TOOL_CALLS
        told += [end.message, results(end.message)]
    end = await answer(credential, *told, model=model, tools=True)
    assert (end.reason, "2 tool results" in words(end.message)) == (FinishReason.STOP, True)


async def test_parallel_calls_are_answered_together(credential: OpenCredential) -> None:
    asked = person("weather in Oslo, Paris, Rome")
    step = (await answer(credential, asked, tools=True)).message
    end = await answer(credential, asked, step, results(step), tools=True)
    assert "3 tool results" in words(end.message)


async def test_thoughts_are_accepted_again_by_their_model_and_left_out_for_another(credential: OpenCredential) -> None:
    asked = person("Think /tokens 5")
    step = (await answer(credential, asked, model=THINKER)).message
    assert any(isinstance(part, ReasoningPart) and part.opaque["signature"] for part in step.parts)
    for model in (THINKER, LARGE):
        assert words((await answer(credential, asked, step, person("more"), model=model)).message)


async def test_a_loop_begun_by_another_vendor_goes_on(credential: OpenCredential) -> None:
    call = ToolCallPart(call_id="call_PTLP8xhu3uwZk4l3nlnrrJha", name="get_weather", arguments='{"city":"Oslo"}')
    step = Message("assistant", (replace(call, origin=Origin("openai", "gpt"), opaque={"type": "function_call"}),))
    end = await answer(credential, person("weather in Oslo"), step, results(step), tools=True)
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
    step = (await answer(credential, asked, tools=True)).message
    assert (await answer(credential, asked, step, results(step), person("stop"))).reason is FinishReason.STOP


async def test_the_list_has_each_chat_model_once(credential: OpenCredential) -> None:
    models = await registry.runtime("mistral").list_models(credential)
    assert [one.model_id for one in models] == [LARGE, "mistral-sandbox-small", THINKER]
    check = await registry.runtime("mistral").validate_credential(credential)
    assert (check.ok, check.model_count) == (True, 3)


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
        ("blocked after 3", ErrorCode.CONTENT_BLOCKED, True),
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
        await answer(credential, person(f"hi /tokens 9 /fault {fault}"))
    assert (caught.value.code, caught.value.partial) == (code, partial)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("empty", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("refusal", FinishReason.STOP),
        ("split_unicode", FinishReason.STOP),
        ("unknown_event", FinishReason.STOP),
    ],
)
async def test_odd_answers_are_answers(credential: OpenCredential, fault: str, reason: FinishReason) -> None:
    end = await answer(credential, person(f"hi /fault {fault}"))
    assert end.reason is reason
    assert ("😀" in words(end.message)) == (fault == "split_unicode")
