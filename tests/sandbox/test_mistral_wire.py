"""The sandbox's Mistral wire, read by Mistral's own client: its shapes, its order of messages, its failures."""

import json
from typing import Any

import httpx2
import pytest
from mistralai.client import Mistral
from mistralai.client import models as sdk
from mistralai.client.errors import HTTPValidationError, MistralError, ResponseValidationError

from providers import http as house
from tests.sandbox.server import SandboxServer

pytestmark = pytest.mark.anyio

LARGE, SMALL, THINKER = "mistral-sandbox-large", "mistral-sandbox-small", "magistral-sandbox"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
NINE = "D681PevKs"


@pytest.fixture
async def mistral(sandbox: SandboxServer, http: httpx2.AsyncClient) -> Mistral:
    return client(sandbox, http, "sandbox-key")


def client(sandbox: SandboxServer, http: httpx2.AsyncClient, key: str) -> Mistral:
    return Mistral(
        api_key=key,
        server_url=f"{sandbox.url}/mistral",
        client=house.placeholder(),
        async_client=http,
        timeout_ms=10_000,
    )


def person(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def called(*ids: str) -> dict[str, Any]:
    calls = [{"id": call_id, "function": {"name": "get_weather", "arguments": "{}"}} for call_id in ids]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def told(call_id: str, content: str = "sunny") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "name": "get_weather", "content": content}


async def read(
    mistral: Mistral, *messages: dict[str, Any], model: str = LARGE, **over: Any
) -> list[sdk.CompletionChunk]:
    stream = await mistral.chat.stream_async(model=model, messages=list(messages), **over)  # type: ignore[arg-type]
    async with stream:
        return [event.data async for event in stream]


def contents(chunks: list[sdk.CompletionChunk]) -> list[Any]:
    return [chunk.choices[0].delta.content for chunk in chunks]


async def refused(mistral: Mistral, *messages: dict[str, Any], **over: Any) -> MistralError:
    with pytest.raises(MistralError) as caught:
        await read(mistral, *messages, **over)
    return caught.value


# ---------------------------------------------------------------- answers
async def test_words_stream_and_usage_ends_them(mistral: Mistral) -> None:
    chunks = await read(mistral, person("Hi /tokens 12"))
    words = "".join(piece for piece in contents(chunks) if isinstance(piece, str))
    assert words.split() == [str(number) for number in range(1, 13)]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 12


async def test_an_answer_also_comes_whole(mistral: Mistral) -> None:
    answer = await mistral.chat.complete_async(model=THINKER, messages=[sdk.UserMessage(content="Hi /tokens 3")])
    message = answer.choices[0].message
    assert message is not None
    assert isinstance(message.content, list)
    assert [chunk.type for chunk in message.content] == ["thinking", "text"]


async def test_a_reasoning_model_thinks_in_chunks_and_signs_them(mistral: Mistral) -> None:
    chunks = await read(mistral, person("Hi"), model=THINKER)
    thoughts = [chunk for content in contents(chunks) if isinstance(content, list) for chunk in content]
    assert all(isinstance(thought, sdk.ThinkChunk) for thought in thoughts)
    assert thoughts[-1].signature
    words = "".join(piece.text for thought in thoughts for piece in thought.thinking)
    signed = {"type": "thinking", "thinking": [{"type": "text", "text": words}], "signature": thoughts[-1].signature}
    again = {"role": "assistant", "content": [signed, {"type": "text", "text": "ok"}]}
    assert await read(mistral, person("Hi"), again, person("More"), model=THINKER)
    assert (await refused(mistral, person("Hi"), again, person("More"), model=LARGE)).status_code == 400


async def test_effort_makes_another_model_think(mistral: Mistral) -> None:
    assert not any(isinstance(content, list) for content in contents(await read(mistral, person("Hi"))))
    thinking = contents(await read(mistral, person("Hi"), reasoning_effort="high"))
    assert any(isinstance(content, list) for content in thinking)


async def test_calls_come_whole_with_ids_of_nine_characters(mistral: Mistral) -> None:
    chunks = await read(mistral, person("weather in Oslo, Paris"), tools=[WEATHER])
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert [json.loads(str(call.function.arguments)) for call in calls] == [{"city": "Oslo"}, {"city": "Paris"}]
    assert all(call.id and len(call.id) == 9 and call.id.isalnum() for call in calls)
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    ids = [str(call.id) for call in calls]
    after = await read(mistral, person("weather in Oslo, Paris"), called(*ids), *map(told, ids), tools=[WEATHER])
    assert "sunny" in "".join(piece for piece in contents(after) if isinstance(piece, str))


async def test_a_schema_binds_the_answer(mistral: Mistral) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema, "strict": True}}
    chunks = await read(mistral, person("Where?"), response_format=sdk.ResponseFormat.model_validate(form))
    assert set(json.loads("".join(contents(chunks)))) == {"city"}


async def test_images_and_documents_are_received(mistral: Mistral) -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": "data:image/png;base64,aGVsbG8="},
        {"type": "document_url", "document_url": "data:application/pdf;base64,aGVsbG8=", "document_name": "a.pdf"},
    ]
    words = "".join(contents(await read(mistral, {"role": "user", "content": content})))
    assert "`image/png`, 5 bytes" in words
    assert "“a.pdf” of type `application/pdf`" in words


# ---------------------------------------------------------------- what the vendor refuses
@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([person("a"), called(NINE), told(NINE), person("b")], "Unexpected role 'user' after role 'tool'"),
        ([person("a"), {"role": "assistant", "content": "b"}], "Expected last role User or Tool"),
        ([person("a"), called(NINE), person("b")], "Not the same number of function calls and responses"),
        ([person("a"), called(NINE, "aaaaaaaaa"), told(NINE)], "Not the same number of function calls and responses"),
        ([person("a"), told(NINE)], "Unexpected role 'tool' after role 'user'"),
        ([person("a"), called("call_1"), told("call_1")], "must be a-z, A-Z, 0-9, with a length of 9"),
        ([person("a"), {"role": "assistant", "content": ""}, person("b")], "either content or tool_calls"),
    ],
    ids=["user after tool", "answer last", "no result", "one result", "no call", "foreign id", "empty answer"],
)
async def test_another_order_is_refused(mistral: Mistral, messages: list[dict[str, Any]], words: str) -> None:
    error = await refused(mistral, *messages)
    assert error.status_code == 400
    assert words in json.loads(error.body)["message"]


async def test_an_unknown_field_is_named(sandbox: SandboxServer, http: httpx2.AsyncClient, mistral: Mistral) -> None:
    url = f"{sandbox.url}/mistral/v1/chat/completions"
    body = {"model": LARGE, "messages": [person("hi")], "stream_options": {}}
    answer = await http.post(url, json=body, headers={"authorization": "Bearer sandbox-key"})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "stream_options"])
    with pytest.raises(HTTPValidationError):
        await read(mistral, person("hi"), max_tokens=0)


# ---------------------------------------------------------------- keys, lists, faults
@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("Zx81kQpLm3Rt5vBn7yWc9uHs2dFg4jKa", 200),
        ("sandbox-key", 200),
        ("Zx81kQpLm3Rt5vBn7yWc9uHs2dFg4jK", 401),
        ("sandbox-revoked", 401),
        ("sandbox-forbidden", 403),
        ("sandbox-noquota", 429),
    ],
)
async def test_keys_fail_as_the_vendors_do(
    sandbox: SandboxServer, http: httpx2.AsyncClient, key: str, status: int
) -> None:
    owner = client(sandbox, http, key)
    if status == 200:
        assert await read(owner, person("hi /tokens 1"))
    else:
        assert (await refused(owner, person("hi"))).status_code == status


async def test_the_list_has_a_row_for_every_alias(mistral: Mistral) -> None:
    listed = await mistral.models.list_async()
    cards = [row for row in listed.data or () if isinstance(row, sdk.BaseModelCard)]
    large = [card for card in cards if card.name == LARGE]
    assert [(card.id, card.aliases) for card in large] == [
        (LARGE, [f"{LARGE}-2611"]),
        (f"{LARGE}-2611", [LARGE]),
    ]
    assert [card.id for card in cards if not card.capabilities.completion_chat] == ["mistral-sandbox-embed"]
    assert await read(mistral, person("hi /tokens 1"), model=f"{SMALL}-2611")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("rate_limit", 429, "1300"),
        ("quota", 429, None),
        ("too_long", 400, "3051"),
        ("not_found", 400, "1500"),
        ("server_error", 500, "1000"),
        ("overloaded", 503, "1100"),
        ("blocked", 403, None),
    ],
)
async def test_faults_have_the_vendors_words(mistral: Mistral, fault: str, status: int, code: str | None) -> None:
    error = await refused(mistral, person(f"hi /fault {fault}"))
    body = json.loads(error.body)
    assert (error.status_code, body["object"], body["code"]) == (status, "error", code)
    assert error.headers["mistral-correlation-id"]
    assert ("retry-after" in error.headers) == (fault == "rate_limit")


async def test_an_error_within_the_stream_is_in_the_vendors_shape(mistral: Mistral) -> None:
    with pytest.raises(ResponseValidationError) as caught:
        await read(mistral, person("hi /tokens 9 /fault rate_limit after 3"))
    assert "Rate limit exceeded" in caught.value.body


async def test_a_chunk_that_nobody_knows_does_not_stop_the_client(mistral: Mistral) -> None:
    chunks = await read(mistral, person("hi /tokens 3 /fault unknown_event"))
    assert chunks[-1].choices[0].finish_reason == "stop"
