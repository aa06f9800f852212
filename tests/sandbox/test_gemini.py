"""Gemini's wire as Google's own client sees it."""

import base64
from typing import Any

import httpx2
import jsonschema
import pytest
from google.genai import Client, errors, types

from tests.sandbox.conftest import gemini_client
from tests.sandbox.server import SandboxServer

pytestmark = pytest.mark.anyio

PRO, FLASH = "gemini-sandbox-pro", "gemini-sandbox-flash"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = types.Tool(function_declarations=[{"name": "get_weather", "parameters_json_schema": SCHEMA}])  # type: ignore[list-item]
QUESTION = types.Content(role="user", parts=[types.Part(text="What is the weather in Oslo?")])


async def chunks(client: Client, contents: Any, model: str = FLASH, **config: Any) -> list[Any]:
    settings = types.GenerateContentConfig(
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,
        **config,
    )
    stream = await client.aio.models.generate_content_stream(model=model, contents=contents, config=settings)
    return [chunk async for chunk in stream]


def parts(seen: list[Any]) -> list[Any]:
    return [part for chunk in seen for part in chunk.candidates[0].content.parts]


async def test_an_answer_streams_with_usage_in_each_chunk(gemini: Client) -> None:
    seen = await chunks(gemini, "Hello there")
    text = "".join(part.text for part in parts(seen))
    assert "no model was called" in text
    assert seen[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert all(chunk.usage_metadata and chunk.response_id == seen[0].response_id for chunk in seen)
    assert seen[-1].usage_metadata.candidates_token_count == len(seen) - 1


async def test_a_whole_answer(gemini: Client) -> None:
    whole = await gemini.aio.models.generate_content(model=FLASH, contents="Some maths please")
    assert whole.text is not None
    assert "$$x = " in whole.text


async def test_thoughts_are_marked_and_the_last_text_is_signed(gemini: Client) -> None:
    seen = await chunks(gemini, "Why?", PRO, thinking_config=types.ThinkingConfig(include_thoughts=True))
    found = parts(seen)
    assert found[0].thought
    assert (found[-1].text, bool(found[-1].thought_signature)) == ("", True)
    assert seen[-1].usage_metadata.thoughts_token_count == sum(bool(part.thought) for part in found)
    hidden = parts(await chunks(gemini, "Why?", PRO))
    assert not any(part.thought for part in hidden)


async def tool_turn(client: Client, model: str = PRO) -> types.Content:
    seen = await chunks(client, [QUESTION], model, tools=[WEATHER])
    calls = [part for part in parts(seen) if part.function_call]
    assert calls[0].function_call.args == {"city": "Oslo"}
    return types.Content(role="model", parts=calls)


def result(turn: types.Content, count: int = 1) -> types.Content:
    assert turn.parts
    call = turn.parts[0].function_call
    assert call is not None
    response = types.FunctionResponse(id=call.id, name=call.name, response={"degrees": 4})
    return types.Content(role="user", parts=[types.Part(function_response=response)] * count)


async def test_a_tool_loop_with_its_signature(gemini: Client) -> None:
    turn = await tool_turn(gemini)
    seen = await chunks(gemini, [QUESTION, turn, result(turn)], PRO, tools=[WEATHER])
    assert '`get_weather` answered: {"degrees": 4}' in "".join(part.text for part in parts(seen))


async def test_a_call_of_the_current_turn_without_its_signature_is_refused(gemini: Client) -> None:
    turn = await tool_turn(gemini)
    assert turn.parts
    turn.parts[0].thought_signature = None
    with pytest.raises(errors.ClientError, match="missing a thought_signature"):
        await chunks(gemini, [QUESTION, turn, result(turn)], PRO, tools=[WEATHER])
    again = types.Content(role="user", parts=[types.Part(text="And now?")])
    assert await chunks(
        gemini, [QUESTION, turn, result(turn), QUESTION.model_copy(update={"role": "model"}), again], PRO
    )


async def test_the_documented_dummy_signature_passes(gemini: Client) -> None:
    turn = await tool_turn(gemini)
    assert turn.parts
    turn.parts[0].thought_signature = b"skip_thought_signature_validator"
    assert await chunks(gemini, [QUESTION, turn, result(turn)], PRO, tools=[WEATHER])


async def test_a_signature_of_another_model_is_refused(gemini: Client) -> None:
    turn = await tool_turn(gemini, FLASH)
    with pytest.raises(errors.ClientError, match="Thought signature is not valid"):
        await chunks(gemini, [QUESTION, turn, result(turn)], PRO, tools=[WEATHER])


async def test_the_number_of_responses_must_be_that_of_the_calls(gemini: Client) -> None:
    turn = await tool_turn(gemini)
    for answers in (result(turn, 2), QUESTION):
        with pytest.raises(errors.ClientError, match="number of function response parts"):
            await chunks(gemini, [QUESTION, turn, answers], PRO, tools=[WEATHER])


async def test_json_by_schema_validates(gemini: Client) -> None:
    seen = await chunks(gemini, "A city", response_mime_type="application/json", response_json_schema=SCHEMA)
    jsonschema.validate(httpx2.Response(200, text="".join(part.text for part in parts(seen))).json(), SCHEMA)


async def test_attachments_are_described(gemini: Client) -> None:
    given = [types.Part(text="What is this?"), types.Part.from_bytes(data=b"hello", mime_type="image/png")]
    seen = await chunks(gemini, [types.Content(role="user", parts=given)])
    assert "an image of type `image/png`, 5 bytes" in "".join(part.text for part in parts(seen))


async def test_a_short_limit_ends_with_max_tokens(gemini: Client) -> None:
    seen = await chunks(gemini, "Hello", max_output_tokens=5)
    assert seen[-1].candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


async def test_the_list_is_paged_and_tells_what_each_model_can(gemini: Client) -> None:
    found = {model.name: model async for model in await gemini.aio.models.list(config={"page_size": 1})}
    assert list(found) == [f"models/{name}" for name in (PRO, FLASH, "gemini-sandbox-embedding")]
    pro = found[f"models/{PRO}"]
    assert (pro.display_name, pro.input_token_limit, pro.thinking) == ("Gemini Sandbox Pro", 1_048_576, True)
    assert found["models/gemini-sandbox-embedding"].supported_actions == ["embedContent"]


@pytest.mark.parametrize(
    ("key", "status", "reason"),
    [
        ("somebody", 400, "API_KEY_INVALID"),
        ("AIza-revoked", 400, "API_KEY_INVALID"),
        ("AIza-expired", 400, "expired"),
        ("AIza-forbidden", 403, "PERMISSION_DENIED"),
        ("AIza-noquota", 429, "PerDay"),
    ],
)
async def test_keys_fail_as_at_the_vendor(
    sandbox: SandboxServer, http: httpx2.AsyncClient, key: str, status: int, reason: str
) -> None:
    with pytest.raises(errors.ClientError) as caught:
        await chunks(gemini_client(sandbox.gemini, http, key), "x")
    assert caught.value.code == status
    assert reason in str(caught.value.details)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "robot", "parts": [{"text": "x"}]}]}, "valid role"),
        ({"contents": [{"parts": []}]}, "must not be empty"),
        ({"contents": [{"parts": [{"magic": 1}]}]}, "must have one initialized field"),
        ({"contents": [{"parts": [{"inlineData": {"data": "%", "mimeType": "image/png"}}]}]}, "Base64"),
        ({"contents": [{"parts": [{"text": "x"}]}], "magic": 1}, 'Unknown name \\"magic\\"'),
        (
            {"contents": [{"parts": [{"text": "x", "thoughtSignature": base64.b64encode(b"foreign").decode()}]}]},
            "not valid",
        ),
        (None, "Invalid JSON payload"),
    ],
)
async def test_it_refuses_bad_requests_in_googles_words(
    sandbox: SandboxServer, http: httpx2.AsyncClient, body: Any, words: str
) -> None:
    url = f"{sandbox.gemini}/v1/models/{FLASH}:generateContent"
    answer = await http.post(url, json=body, headers={"x-goog-api-key": "AIzaX"})
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert words in answer.text
