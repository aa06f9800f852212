"""A conversation goes on with any model: its own items come back to the letter, everybody else's in plain form."""

import json
from dataclasses import replace
from typing import Any

import pytest

from providers.contract import GenerateRequest, Message, Origin, Part, TextPart, ToolCallPart, ToolResultPart
from tests.contract.answers import CLOCK, MODEL, WEATHER, Answer
from tests.contract.dialects import DIALECTS, Dialect, asked, finished, plugged, speaking
from tests.contract.wire import plays

pytestmark = pytest.mark.anyio

QUESTION = Message("user", (TextPart(text="Weather and time?"),))
RESULTS = Message(
    "tool",
    (
        ToolResultPart(call_id="call_1", name="weather", content='{"sky":"blue"}'),
        ToolResultPart(call_id="call_2", name="clock", content="noon", is_error=True),
    ),
)
STEP = Answer(text=("Looking.",), reasoning=("hmm",), calls=(WEATHER, CLOCK))


async def answered(dialect: Dialect, answer: Answer = STEP) -> Message:
    with plugged(plays(dialect.wire.render(answer))):
        return finished(await dialect.read(asked())).message


async def continued(dialect: Dialect, *messages: Message, model: str = MODEL, **credential: Any) -> dict[str, Any]:
    """What is sent when the conversation goes on."""
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as wire:
        await dialect.read(replace(asked(messages=messages), model_id=model), dialect.credential(**credential))
    return wire.sent


@speaking("openai")
async def test_openai_gets_its_own_items_back_verbatim(dialect: Dialect) -> None:
    step = await answered(dialect)
    items = (await continued(dialect, QUESTION, step, RESULTS))["input"]
    assert [item.get("type", item.get("role")) for item in items] == [
        "user",
        "reasoning",
        "message",
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
    ]
    assert items[1:5] == [part.opaque for part in step.parts]
    assert items[1]["encrypted_content"] == "c2VhbGVk"
    assert items[2]["phase"] == "final_answer"
    assert items[5] == {"type": "function_call_output", "call_id": "call_1", "output": '{"sky":"blue"}'}


@speaking("gemini")
async def test_gemini_gets_its_signature_back_on_the_part_it_came_on(dialect: Dialect) -> None:
    contents = (await continued(dialect, QUESTION, await answered(dialect), RESULTS))["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    assert contents[1]["parts"] == [
        {"text": "Looking."},
        {
            "functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Paris"}},
            "thoughtSignature": "c2lnbmVk",
        },
        {"functionCall": {"id": "call_2", "name": "clock", "args": {"zone": "UTC"}}},
    ]
    assert contents[2]["parts"] == [
        {"functionResponse": {"id": "call_1", "name": "weather", "response": {"sky": "blue"}}},
        {"functionResponse": {"id": "call_2", "name": "clock", "response": {"error": "noon"}}},
    ]


@pytest.mark.parametrize("author", DIALECTS, ids=lambda author: f"after_{author.provider_id}")
async def test_another_models_tool_step_is_told_in_plain_words(dialect: Dialect, author: Dialect) -> None:
    """The same provider's other model is as foreign as another provider."""
    step = await answered(author)
    body = await continued(dialect, QUESTION, step, RESULTS, model="model-2")
    sent = repr(body)
    assert "hmm" not in sent, "foreign reasoning was passed on"
    assert "encrypted_content': 'c2VhbGVk" not in sent
    assert "c2lnbmVk" not in sent
    match dialect.provider_id:
        case "openai":
            assert body["input"][1:] == [
                {"role": "assistant", "content": "Looking."},
                {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Paris"}'},
                {"type": "function_call", "call_id": "call_2", "name": "clock", "arguments": '{"zone":"UTC"}'},
                {"type": "function_call_output", "call_id": "call_1", "output": '{"sky":"blue"}'},
                {"type": "function_call_output", "call_id": "call_2", "output": "noon"},
            ]
        case "gemini":
            dummy = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
            calls = body["contents"][1]["parts"][1:]
            assert [call["thoughtSignature"] for call in calls] == [dummy, dummy]
            assert [call["functionCall"]["id"] for call in calls] == ["call_1", "call_2"]
        case "anthropic":
            assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
            call = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Paris"}}
            assert body["messages"][1]["content"][:2] == [{"type": "text", "text": "Looking."}, call]
        case "mistral":
            _, step_sent, *results = body["messages"]
            ids = [call["id"] for call in step_sent["tool_calls"]]
            assert step_sent["content"] == "Looking."
            assert [(result["role"], result["tool_call_id"]) for result in results] == [("tool", id_) for id_ in ids]
        case _:
            assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "tool"]
            assert [call["id"] for call in body["messages"][1]["tool_calls"]] == ["call_1", "call_2"]
            assert body["messages"][2] == {"role": "tool", "tool_call_id": "call_1", "content": '{"sky":"blue"}'}


@pytest.mark.parametrize("change", [{"ref": "credential:2"}, {"account": "another key"}], ids=["credential", "key"])
async def test_another_account_gets_the_step_in_plain_form(dialect: Dialect, change: dict[str, str]) -> None:
    """What a vendor sealed for one organisation is a 400 with the key of another."""
    step = await answered(dialect)
    sent = repr(await continued(dialect, QUESTION, step, RESULTS, **change))
    assert "weather" in sent
    assert all(sealed not in sent for sealed in ("hmm", "c2VhbGVk", "c2lnbmVk", "rs_1", "fc_call_1"))


@speaking("openai", "anthropic")
async def test_a_thought_stays_in_its_own_tool_loop(dialect: Dialect) -> None:
    """It is bound to what was said before it: an edit or another branch would make it invalid."""
    step, end = await answered(dialect), await answered(dialect, Answer(text=("Fine.",), reasoning=("hmm",)))
    told = (QUESTION, step, RESULTS, end, Message("user", (TextPart(text="And tomorrow?"),)))
    sent = repr(await continued(dialect, *told))
    assert "Fine." in sent
    assert "call_1" in sent
    assert all(thought not in sent for thought in ("hmm", "c2VhbGVk", "rs_1"))
    assert "'id': 'msg_1'" not in sent, "an item under the id that it shares with its thought"
    assert "hmm" in repr(await continued(dialect, *told[:3]))


async def test_half_a_pair_is_left_out(dialect: Dialect) -> None:
    """A run that was stopped between a call and its result would otherwise make every later request fail."""
    step = await answered(dialect)
    stray = Message("tool", (ToolResultPart(call_id="nobody", name="weather", content="lost"),))
    sent = repr(await continued(dialect, QUESTION, step, stray, Message("user", (TextPart(text="Go on."),))))
    assert "call_1" not in sent
    assert "lost" not in sent
    assert "hmm" not in sent, "reasoning without the call it led to"
    assert "Looking." in sent
    assert "Go on." in sent


UNREADABLE = {
    "cut": '{"city": "Par',
    "words": "Paris, please",
    "list": '["Paris"]',
    "no number": '{"city": NaN}',
    "deep": '{"a":' * 100_000 + "1" + "}" * 100_000,
}


@pytest.mark.parametrize("arguments", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("own", [True, False], ids=["own", "foreign"])
async def test_a_call_with_unreadable_arguments_comes_back_as_an_object(
    dialect: Dialect, arguments: str, own: bool
) -> None:
    """Vendors answer 400 to the very text that their own model wrote; the result tells the model what was wrong."""
    step = await answered(dialect)
    told = tuple(_misspelt(part, arguments, dialect.provider_id) for part in step.parts)
    model = MODEL if own else "model-2"
    body = await continued(dialect, QUESTION, replace(step, parts=told), RESULTS, model=model)
    assert _arguments(dialect.provider_id, body) == [{"arguments": arguments}, {"zone": "UTC"}]
    assert "hmm" not in repr(body), "a thought without the call it led to"
    assert "c2VhbGVk" not in repr(body)


def _misspelt(part: Part, arguments: str, provider_id: str) -> Part:
    """The first call of the step, as its vendor keeps one whose model wrote this."""
    if not isinstance(part, ToolCallPart) or part.name != "weather":
        return part
    opaque = part.opaque
    if provider_id == "openai":
        opaque = {**part.opaque, "arguments": arguments}
    return replace(part, arguments=arguments, opaque=opaque)


def _arguments(provider_id: str, body: dict[str, Any]) -> list[Any]:
    """The arguments of the calls on this wire, as JSON objects."""
    match provider_id:
        case "openai":
            return [json.loads(item["arguments"]) for item in body["input"] if item.get("type") == "function_call"]
        case "anthropic":
            blocks = body["messages"][1]["content"]
            return [block["input"] for block in blocks if block["type"] == "tool_use"]
        case "gemini":
            return [part["functionCall"]["args"] for part in body["contents"][1]["parts"] if "functionCall" in part]
    return [json.loads(call["function"]["arguments"]) for call in body["messages"][1]["tool_calls"]]


@speaking("openai")
async def test_reasoning_that_was_not_sealed_is_not_sent_back(dialect: Dialect) -> None:
    body = dialect.wire.render(Answer(text=("ok",), reasoning=("hmm",))).replace(b"encrypted_content", b"nothing")
    with plugged(plays(body)):
        step = finished(await dialect.read(asked())).message
    items = (await continued(dialect, QUESTION, step))["input"]
    assert [item.get("type", item.get("role")) for item in items] == ["user", "message"]


@speaking("openai", "gemini")
async def test_an_item_without_a_plain_form_returns_to_its_maker_only(dialect: Dialect) -> None:
    native = {"type": "web_search_call", "id": "ws_1"} if dialect.provider_id == "openai" else {"executableCode": {}}
    item = Part(origin=dialect.origin, opaque=native)
    step = Message("assistant", (item, TextPart(text="found")))
    assert str(native) in repr(await continued(dialect, QUESTION, step))
    assert str(native) not in repr(await continued(dialect, QUESTION, step, model="model-2"))


@speaking("gemini")
async def test_a_call_that_gemini_did_not_name_gets_a_nameless_result(dialect: Dialect) -> None:
    body = dialect.wire.render(Answer(calls=(WEATHER,))).replace(b'"id": "call_1", ', b"")
    with plugged(plays(body)):
        step = finished(await dialect.read(asked())).message
    (call,) = step.parts
    assert isinstance(call, ToolCallPart)
    assert call.call_id.startswith("call_")
    result = Message("tool", (ToolResultPart(call_id=call.call_id, name="weather", content="sunny"),))
    contents = (await continued(dialect, QUESTION, step, result))["contents"]
    assert "id" not in contents[1]["parts"][0]["functionCall"]
    assert contents[2]["parts"] == [{"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}]


@speaking("gemini")
async def test_a_signature_on_an_empty_text_part_is_kept(dialect: Dialect) -> None:
    signed = b'data: {"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"c2ln"}]}}]}\r\n\r\n'
    with plugged(
        plays(dialect.wire.render(Answer(text=("yes",), terminal=False)) + signed + dialect.wire.render(Answer()))
    ):
        step = finished(await dialect.read(asked())).message
    parts = (await continued(dialect, QUESTION, step))["contents"][1]["parts"]
    assert parts == [{"text": "yes"}, {"text": "", "thoughtSignature": "c2ln"}]


def test_arguments_that_are_no_object_still_make_a_request() -> None:
    from providers.adapters import gemini_input

    call = ToolCallPart(call_id="c", name="f", arguments="not json")
    result = ToolResultPart(call_id="c", name="f", content="[1]")
    request = GenerateRequest("m", (Message("assistant", (call,)), Message("tool", (result,))))
    model, user = gemini_input.body(request, Origin("gemini", "m"))["contents"]
    assert model["parts"][0]["functionCall"]["args"] == {"arguments": "not json"}
    assert user["parts"][0]["functionResponse"]["response"] == {"result": [1]}
