"""OpenAI's own client against the door, with every family behind it."""

import json
from base64 import b64encode
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.chat.docs.files import picture
from tests.faults.servers import Sandbox

MODELS = [
    "openai/gpt-sandbox",
    "anthropic/claude-sandbox-opus",
    "gemini/gemini-sandbox-pro",
    "mistral/mistral-sandbox-large",
]
CLOCK: Any = {
    "type": "function",
    "function": {
        "name": "clock",
        "description": "The time somewhere.",
        "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]},
    },
}
DATA_URL = f"data:image/png;base64,{b64encode(picture(size=(8, 8))).decode()}"


def said(text: Any) -> Any:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


@pytest.mark.parametrize("model", MODELS)
def test_a_completion_comes_whole_and_in_chunks(client: OpenAI, model: str) -> None:
    whole = client.chat.completions.create(model=model, messages=said("Say hello"))
    assert whole.model == model
    assert whole.choices[0].message.content
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage is not None
    assert whole.usage.prompt_tokens > 0
    assert whole.usage.completion_tokens > 0
    chunks = list(
        client.chat.completions.create(
            model=model, messages=said("Say hello"), stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage == whole.usage
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


@pytest.mark.parametrize("model", MODELS)
def test_a_tool_is_called_and_its_result_goes_on(client: OpenAI, model: str) -> None:
    messages = said("/tool clock What time is it?")
    with client.chat.completions.stream(model=model, messages=messages, tools=[CLOCK]) as stream:
        asked = stream.get_final_completion().choices[0]
    assert asked.finish_reason == "tool_calls"
    assert asked.message.tool_calls
    call = asked.message.tool_calls[0]
    assert call.function.name == "clock"
    json.loads(call.function.arguments)
    messages += [asked.message.to_dict(), {"role": "tool", "tool_call_id": call.id, "content": "noon"}]
    answer = client.chat.completions.create(model=model, messages=messages, tools=[CLOCK])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content


@pytest.mark.parametrize("model", MODELS)
def test_a_response_comes_whole_and_in_events(client: OpenAI, model: str) -> None:
    whole = client.responses.create(model=model, input="Say hello", instructions="Be brief.")
    assert (whole.status, whole.model) == ("completed", model)
    assert whole.output_text
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.input_tokens + whole.usage.output_tokens
    with client.responses.stream(model=model, input="Say hello", instructions="Be brief.") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert final.output_text == whole.output_text
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert [getattr(event, "sequence_number", None) for event in events if hasattr(event, "sequence_number")]


def _items(response: Any) -> list[Any]:
    found: list[Any] = response.to_dict()["output"]
    return found


@pytest.mark.parametrize("model", MODELS)
def test_a_function_call_of_a_response_is_answered(client: OpenAI, model: str) -> None:
    tool: Any = {"type": "function", **CLOCK["function"], "strict": False}
    with client.responses.stream(model=model, input="/tool clock What time is it?", tools=[tool]) as stream:
        first = stream.get_final_response()
    call: Any = next(item for item in first.output if item.type == "function_call")
    assert call.name == "clock"
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "noon"}
    items: Any = [{"role": "user", "content": "What time is it?"}, *_items(first), result]
    second = client.responses.create(model=model, input=items, tools=[tool])
    assert second.output_text


def test_reasoning_is_told_apart(client: OpenAI) -> None:
    model = "anthropic/claude-sandbox-opus"
    chunks = list(client.chat.completions.create(model=model, messages=said("/reason Why?"), stream=True))
    thoughts = [getattr(chunk.choices[0].delta, "reasoning_content", None) for chunk in chunks if chunk.choices]
    assert "".join(filter(None, thoughts))
    with client.responses.stream(model=model, input="/reason Why?") as stream:
        final = stream.get_final_response()
    assert [item.type for item in final.output] == ["reasoning", "message"]


def test_a_picture_goes_as_a_data_url_alone(client: OpenAI) -> None:
    inside = {"type": "image_url", "image_url": {"url": DATA_URL}}
    answer = client.chat.completions.create(model=MODELS[1], messages=said([{"type": "text", "text": "?"}, inside]))
    assert answer.choices[0].message.content
    elsewhere = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    with pytest.raises(openai.BadRequestError, match="not fetched"):
        client.chat.completions.create(model=MODELS[1], messages=said([elsewhere]))


@pytest.mark.parametrize("model", MODELS)
def test_a_schema_is_kept(client: OpenAI, model: str) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    shape: Any = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}}
    answer = client.chat.completions.create(model=model, messages=said("Invent somebody"), response_format=shape)
    assert "name" in json.loads(answer.choices[0].message.content or "")


def test_models_are_listed_by_the_names_that_are_taken(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert set(MODELS) <= set(names)
    assert client.models.retrieve(MODELS[1]).owned_by == "anthropic"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("openai/none")
    short = client.chat.completions.create(model="gpt-sandbox", messages=said("Hi"))
    assert short.model == "openai/gpt-sandbox"


def test_what_is_asked_for_reaches_the_provider(client: OpenAI, sandbox: Sandbox) -> None:
    shape: Any = {"type": "json_schema", "json_schema": {"name": "person", "schema": {"type": "object"}}}
    client.chat.completions.create(
        model=MODELS[0], messages=said("Say hello"), tools=[CLOCK], tool_choice="none", temperature=0.5,
        max_completion_tokens=500, reasoning_effort="low", response_format=shape,
    )  # fmt: skip
    sent = sandbox.requests()[-1]["body"]
    assert (sent["temperature"], sent["max_output_tokens"], sent["tool_choice"]) == (0.5, 500, "none")
    assert (sent["reasoning"]["effort"], sent["text"]["format"]["name"]) == ("low", "person")
    assert sent["instructions"] == "Be brief."
    assert sent["tools"][0]["name"] == "clock"
    assert sent["safety_identifier"]
    assert "owner@example.com" not in json.dumps(sent)
