"""The OpenAI wires as OpenAI's own client sees them: answers, reasoning, tools, schemas, usage, refusals."""

import json
from typing import Any

import jsonschema
import openai as sdk
import pytest
from openai import AsyncOpenAI

pytestmark = pytest.mark.anyio

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
    "strict": True,
}
QUESTION = {"role": "user", "content": "What is the weather in Paris?"}


async def events(client: AsyncOpenAI, **request: Any) -> list[Any]:
    stream = await client.responses.create(stream=True, store=False, **({"model": "gpt-sandbox"} | request))
    return [event async for event in stream]


async def test_an_answer_streams_in_pieces_and_ends_with_its_usage(openai: AsyncOpenAI) -> None:
    seen = await events(openai, input="Hello there")
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    text = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
    final = seen[-1].response
    assert (seen[-1].type, final.output_text) == ("response.completed", text)
    assert "sandbox" in text
    assert "no model was called" in text
    assert "> Hello there" in text
    assert final.usage.output_tokens == sum(event.type == "response.output_text.delta" for event in seen)
    assert (final.usage.input_tokens, final.usage.input_tokens_details.cached_tokens) == (7, 0)


async def test_a_whole_answer_says_the_same_as_a_streamed_one(openai: AsyncOpenAI) -> None:
    whole = await openai.responses.create(model="gpt-sandbox", input="Show me a table", store=False)
    streamed = (await events(openai, input="Show me a table"))[-1].response
    assert whole.output_text == streamed.output_text
    assert "| messages seen | 1 |" in whole.output_text


async def test_it_says_how_many_messages_it_has_seen(openai: AsyncOpenAI) -> None:
    said = [
        {"role": "user", "content": "My cat is called Miso"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Good to know", "annotations": []}]},
        {"role": "user", "content": "And now?"},
    ]
    answer: Any = await openai.responses.create(model="gpt-sandbox", input=said, store=False)  # type: ignore[call-overload]
    assert "I have seen 3 messages here: 2 from you and 1 from a model." in answer.output_text
    assert "The first was “My cat is called Miso”." in answer.output_text


async def test_a_long_history_is_counted_as_cached(openai: AsyncOpenAI) -> None:
    said = [{"role": "user", "content": "x" * 8000}, {"role": "assistant", "content": "y"}, QUESTION]
    answer: Any = await openai.responses.create(model="gpt-sandbox", input=said, store=False)  # type: ignore[call-overload]
    assert answer.usage.input_tokens_details.cached_tokens == 1920


async def test_a_reasoning_model_shows_a_summary_when_asked_and_seals_its_reasoning(openai: AsyncOpenAI) -> None:
    seen = await events(openai, model="gpt-sandbox-reasoning", input="Why?", reasoning={"summary": "auto"})
    kinds = [event.type for event in seen]
    assert kinds.index("response.reasoning_summary_text.delta") < kinds.index("response.output_text.delta")
    item, message = seen[-1].response.output
    assert (item.type, len(item.summary), bool(item.encrypted_content)) == ("reasoning", 2, True)
    assert message.phase == "final_answer"
    assert seen[-1].response.usage.output_tokens_details.reasoning_tokens > 20


async def test_reasoning_is_counted_but_not_shown_without_a_summary(openai: AsyncOpenAI) -> None:
    seen = await events(openai, input="Why?", reasoning={"effort": "low"})
    assert not [event for event in seen if "summary" in event.type]
    assert seen[-1].response.usage.output_tokens_details.reasoning_tokens > 20


async def test_a_tool_loop_with_reasoning_replayed(openai: AsyncOpenAI) -> None:
    request = {"model": "gpt-sandbox-reasoning", "tools": [WEATHER], "reasoning": {"summary": "auto"}}
    first = (await events(openai, input=[QUESTION], **request))[-1].response
    call = first.output[-1]
    assert [item.type for item in first.output] == ["reasoning", "message", "function_call"]
    assert json.loads(call.arguments) == {"city": "Paris", "unit": "celsius"}
    replayed = [item.model_dump(exclude_none=True) for item in first.output]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "21 degrees"}
    second = (await events(openai, input=[QUESTION, *replayed, result], **request))[-1].response
    assert "`get_weather` answered: 21 degrees" in second.output_text


async def test_two_places_make_two_parallel_calls(openai: AsyncOpenAI) -> None:
    seen = await events(openai, input="What is the weather in Paris and Rome?", tools=[WEATHER])
    calls = [item for item in seen[-1].response.output if item.type == "function_call"]
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Paris", "Rome"]
    assert len({call.call_id for call in calls}) == 2


async def test_without_parallel_calls_they_come_one_by_one(openai: AsyncOpenAI) -> None:
    seen = await events(openai, input="Weather in Paris and Rome?", tools=[WEATHER], parallel_tool_calls=False)
    assert sum(item.type == "function_call" for item in seen[-1].response.output) == 1


async def test_json_by_schema_validates(openai: AsyncOpenAI) -> None:
    schema = WEATHER["parameters"]
    form = {"format": {"type": "json_schema", "name": "weather", "schema": schema, "strict": True}}
    answer = (await events(openai, input="As JSON", text=form))[-1].response
    jsonschema.validate(json.loads(answer.output_text), schema)


async def test_a_short_limit_ends_the_answer_incomplete(openai: AsyncOpenAI) -> None:
    last = (await events(openai, input="Hello", max_output_tokens=16))[-1]
    assert (last.type, last.response.incomplete_details.reason) == ("response.incomplete", "max_output_tokens")
    assert last.response.usage.output_tokens == 16


async def test_attachments_are_described(openai: AsyncOpenAI) -> None:
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": "data:image/png;base64,aGVsbG8=", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,aGVsbG8gd29ybGQ="},
    ]
    answer = (await events(openai, input=[{"role": "user", "content": content}]))[-1].response
    assert "an image of type `image/png`, 5 bytes" in answer.output_text
    assert "a document “a.pdf” of type `application/pdf`, 11 bytes" in answer.output_text


CALL = {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "fine"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}


@pytest.mark.parametrize(
    ("request_part", "status", "words"),
    [
        ({"input": [QUESTION, OUTPUT]}, 400, "No tool call found for function call output with call_id c1"),
        ({"input": [QUESTION, CALL]}, 400, "No tool output found for function call c1"),
        ({"input": [QUESTION, REASONING, CALL, OUTPUT]}, 404, "Items are not persisted"),
        (
            {"input": [QUESTION, REASONING | {"encrypted_content": "gAAAforeign"}, CALL, OUTPUT]},
            400,
            "could not be verified",
        ),
        ({"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, 400, "Invalid value: 'text'"),
        (
            {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
            400,
            "'output_text', 'refusal'",
        ),
        ({"input": "x", "max_output_tokens": 5}, 400, "below minimum value"),
        ({"input": "x", "extra_body": {"magic": True}}, 400, "Unknown parameter: 'magic'"),
        ({"input": "x", "previous_response_id": "resp_1"}, 400, "not found"),
        ({"input": "x", "model": "gpt-nobody"}, 404, "does not exist"),
        ({"input": "x", "model": "text-embedding-sandbox"}, 400, "cannot be used to generate text"),
        ({"input": "x", "model": "gpt-sandbox-reasoning", "temperature": 1}, 400, "'temperature' is not supported"),
        ({"input": "x", "tools": [WEATHER | {"parameters": {"type": "object"}}]}, 400, "'additionalProperties'"),
    ],
)
async def test_it_refuses_what_the_vendor_refuses(
    openai: AsyncOpenAI, request_part: dict[str, Any], status: int, words: str
) -> None:
    with pytest.raises(sdk.APIStatusError, match=words) as caught:
        await events(openai, **request_part)
    assert caught.value.status_code == status
    assert caught.value.request_id


async def test_sealed_reasoning_of_another_model_is_refused(openai: AsyncOpenAI) -> None:
    made = (await events(openai, model="gpt-sandbox-reasoning", input=[QUESTION], tools=[WEATHER]))[-1].response
    replayed = [item.model_dump(exclude_none=True) for item in made.output]
    result = {"type": "function_call_output", "call_id": made.output[-1].call_id, "output": "fine"}
    with pytest.raises(sdk.BadRequestError) as caught:
        await events(openai, model="gpt-sandbox", input=[QUESTION, *replayed, result], tools=[WEATHER])
    assert caught.value.code == "invalid_encrypted_content"


async def test_the_list_holds_what_a_chat_client_must_filter(openai: AsyncOpenAI) -> None:
    found = [model.id async for model in openai.models.list()]
    assert found[:3] == ["gpt-sandbox", "gpt-sandbox-mini", "gpt-sandbox-reasoning"]
    assert found[3:] == ["text-embedding-sandbox", "tts-sandbox"]
    assert (await openai.models.retrieve("gpt-sandbox")).owned_by == "sandbox"


@pytest.mark.parametrize(
    ("key", "error", "code"),
    [
        ("somebody", sdk.AuthenticationError, "invalid_api_key"),
        ("sk-revoked-1", sdk.AuthenticationError, "invalid_api_key"),
        ("sandbox-expired", sdk.AuthenticationError, "token_expired"),
        ("sandbox-forbidden", sdk.PermissionDeniedError, "insufficient_permissions"),
        ("sandbox-noquota", sdk.RateLimitError, "insufficient_quota"),
    ],
)
async def test_keys_fail_as_at_the_vendor(openai: AsyncOpenAI, key: str, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as caught:
        await events(openai.with_options(api_key=key), input="x")
    assert caught.value.code == code  # type: ignore[attr-defined]


async def test_a_key_without_quota_can_still_list_models(openai: AsyncOpenAI) -> None:
    page = await openai.with_options(api_key="sandbox-noquota").models.list()
    assert len(page.data) == 5


@pytest.mark.parametrize(
    ("over", "param"),
    [
        ({"temperature": 0.2}, "temperature"),
        ({"max_output_tokens": 20}, "max_output_tokens"),
        ({"safety_identifier": "somebody"}, "safety_identifier"),
        ({"store": True}, "store"),
        ({"stream": False}, "stream"),
        ({"input": "Hello"}, "input"),
        ({"input": [{"role": "system", "content": "Be brief."}]}, "input"),
    ],
)
async def test_a_plan_refuses_what_its_vendor_refuses(openai: AsyncOpenAI, over: dict[str, Any], param: str) -> None:
    plan = openai.with_options(api_key="sk-plan-aaaaaaaaaaaaaaaaaaaaaaaa")
    plain: dict[str, Any] = {"model": "gpt-sandbox", "input": [QUESTION], "store": False, "stream": True}
    async with await plan.responses.create(**plain) as answered:
        assert [event.type async for event in answered][-1] == "response.completed"
    with pytest.raises(sdk.BadRequestError) as refused:
        await plan.responses.create(**plain | over)
    assert refused.value.param == param
