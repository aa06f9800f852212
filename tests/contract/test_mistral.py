"""What only Mistral says: thoughts as chunks, ids of nine characters, one order of messages, a list with aliases."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from providers.adapters.mistral_input import own_id
from providers.contract import MediaPart, Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from providers.errors import ErrorCode
from providers.events import (
    CitationAdded,
    FinishReason,
    NativeEvent,
    ReasoningDelta,
    ToolArgsDelta,
    ToolCallStarted,
)
from tests.contract.answers import CLOCK, MODEL, WEATHER, Answer
from tests.contract.dialects import DIALECTS, asked, finished, plugged
from tests.contract.mistral_wire import SIGNATURE, chunk, ends, render, thinks
from tests.contract.wire import Script, plays

pytestmark = pytest.mark.anyio

(MISTRAL,) = [dialect for dialect in DIALECTS if dialect.provider_id == "mistral"]
NINE = re.compile(r"[a-zA-Z0-9]{9}")


def person(text: str) -> Message:
    return Message("user", (TextPart(text=text),))


def model(text: str) -> Message:
    return Message("assistant", (TextPart(text=text),))


def result(call_id: str, content: str = "done") -> ToolResultPart:
    return ToolResultPart(call_id=call_id, name="weather", content=content)


def call(call_id: str) -> ToolCallPart:
    return ToolCallPart(call_id=call_id, name="weather", arguments='{"city":"Oslo"}')


async def sent(*messages: Message, **over: Any) -> list[dict[str, Any]]:
    model_id = over.pop("model_id", MODEL)
    with plugged(plays(render(Answer(text=("ok",))))) as wire:
        await MISTRAL.read(replace(asked(messages=messages, **over), model_id=model_id))
    written: list[dict[str, Any]] = wire.sent["messages"]
    return written


def roles(messages: list[dict[str, Any]]) -> list[str]:
    return [message["role"] for message in messages]


# ---------------------------------------------------------------- thoughts and other chunks
async def test_thoughts_return_signed_to_the_model_that_had_them_and_to_no_other() -> None:
    with plugged(plays(render(Answer(text=("42",), reasoning=("Let me ", "think."))))):
        events = await MISTRAL.read(asked())
    assert {event.kind for event in events if isinstance(event, ReasoningDelta)} == {"full"}
    step = finished(events).message
    own = await sent(person("a"), step, person("b"))
    thought = {
        "type": "thinking",
        "thinking": [{"type": "text", "text": "Let me think."}],
        "signature": SIGNATURE,
        "closed": True,
    }
    assert own[1] == {"role": "assistant", "content": [thought, {"type": "text", "text": "42"}]}
    foreign = await sent(person("a"), step, person("b"), model_id="model-2")
    assert foreign[1] == {"role": "assistant", "content": "42"}


async def test_a_signed_thought_is_closed_and_the_next_one_is_another() -> None:
    body = thinks("one", signature="s1") + thinks("two", signature="s2") + chunk({"content": "ok"}) + ends()
    with plugged(plays(body)):
        parts = finished(await MISTRAL.read(asked())).message.parts
    thoughts = [part for part in parts if isinstance(part, ReasoningPart)]
    assert [(part.text, part.opaque["signature"]) for part in thoughts] == [("one", "s1"), ("two", "s2")]


async def test_a_reference_is_a_citation_and_does_not_cut_the_text() -> None:
    reference = {"type": "reference", "reference_ids": [3, "b"]}
    said = [{"type": "text", "text": "It is so"}, reference, {"type": "text", "text": "."}]
    with plugged(plays(chunk({"content": said}) + ends())):
        events = await MISTRAL.read(asked())
    cited = [event for event in events if isinstance(event, CitationAdded)]
    assert cited == [CitationAdded(0, {"reference": "3"}), CitationAdded(0, {"reference": "b"})]
    assert finished(events).message.parts == (TextPart(text="It is so.", origin=MISTRAL.origin),)


async def test_a_source_within_a_thought_goes_back_with_it() -> None:
    reference = {"type": "reference", "reference_ids": [1]}
    thinking = [{"type": "text", "text": "as "}, {"type": "text", "text": "read"}, reference]
    with plugged(plays(chunk({"content": [{"type": "thinking", "thinking": thinking}]}) + ends())):
        events = await MISTRAL.read(asked())
    (part,) = finished(events).message.parts
    assert part.opaque["thinking"] == [{"type": "text", "text": "as read"}, reference]
    assert [event.data for event in events if isinstance(event, CitationAdded)] == [{"reference": "1"}]


async def test_a_chunk_nobody_knows_returns_to_its_maker_only() -> None:
    item = {"type": "hologram", "frames": 3}
    with plugged(plays(chunk({"content": [item]}) + chunk({"content": "see"}) + ends())):
        events = await MISTRAL.read(asked())
    assert [event.native_type for event in events if isinstance(event, NativeEvent)] == ["hologram"]
    step = finished(events).message
    assert item in (await sent(person("a"), step, person("b")))[1]["content"]
    assert (await sent(person("a"), step, person("b"), model_id="model-2"))[1]["content"] == "see"


# ---------------------------------------------------------------- calls
@pytest.mark.parametrize("arguments", ['{"city":"Paris"}', {"city": "Paris"}], ids=["text", "object"])
async def test_arguments_are_read_as_text_and_as_an_object(arguments: object) -> None:
    told = {"id": "D681PevKs", "function": {"name": "weather", "arguments": arguments}, "index": 0}
    with plugged(plays(ends("tool_calls", {"content": "", "tool_calls": [told]}))):
        end = finished(await MISTRAL.read(asked()))
    (part,) = end.message.parts
    assert isinstance(part, ToolCallPart)
    assert (part.call_id, part.arguments, end.reason) == ("D681PevKs", '{"city":"Paris"}', FinishReason.TOOL_CALLS)


async def test_a_fragment_with_the_id_null_goes_on_with_its_call() -> None:
    def piece(name: str, arguments: str, index: int, call_id: str = "null") -> bytes:
        told = {"id": call_id, "function": {"name": name, "arguments": arguments}, "index": index}
        return chunk({"tool_calls": [told]})

    body = piece("weather", '{"ci', 0, "aaaaaaaaa") + piece("clock", "{", 1, "bbbbbbbbb")
    body += piece("", 'ty":1}', 0) + piece("clock", "}", 1) + ends("tool_calls")
    with plugged(plays(body)):
        events = await MISTRAL.read(asked())
    calls = [part for part in finished(events).message.parts if isinstance(part, ToolCallPart)]
    assert [(part.call_id, part.arguments) for part in calls] == [("aaaaaaaaa", '{"city":1}'), ("bbbbbbbbb", "{}")]
    assert len([event for event in events if isinstance(event, ToolCallStarted)]) == 2
    assert len([event for event in events if isinstance(event, ToolArgsDelta)]) == 4


async def test_calls_without_an_id_get_one_each() -> None:
    told = [{"id": "null", "function": {"name": "weather", "arguments": "{}"}} for _ in range(2)]
    with plugged(plays(ends("tool_calls", {"tool_calls": told}))):
        parts = finished(await MISTRAL.read(asked())).message.parts
    ids = {part.call_id for part in parts if isinstance(part, ToolCallPart)}
    assert len({own_id(call_id) for call_id in ids}) == 2


@pytest.mark.parametrize("call_id", ["call_PTLP8xhu3uwZk4l3nlnrrJha", "toolu_01", "", "D681PevK", "D681Pev-s"])
def test_another_vendors_id_becomes_the_same_nine_characters_every_time(call_id: str) -> None:
    assert NINE.fullmatch(own_id(call_id))
    assert own_id(call_id) == own_id(call_id) != own_id(f"{call_id}x")
    assert own_id("D681PevKs") == "D681PevKs"


# ---------------------------------------------------------------- the order of messages
async def test_results_stand_behind_their_calls_wherever_they_came() -> None:
    step = Message("assistant", (TextPart(text="Both."), call("one"), call("two")))
    late = Message("tool", (result("two", "2"),))
    messages = await sent(person("go"), step, Message("tool", (result("one", "1"),)), person("wait"), late)
    assert roles(messages) == ["user", "assistant", "tool", "tool", "assistant", "user"]
    assert [message["content"] for message in messages[2:4]] == ["1", "2"]
    assert messages[2]["name"] == "weather"


async def test_the_same_id_in_two_answers_keeps_its_two_results() -> None:
    step = Message("assistant", (call("call_0"),))
    messages = await sent(
        person("go"), step, Message("tool", (result("call_0", "first"),)),
        step, Message("tool", (result("call_0", "second"),)),
    )  # fmt: skip
    assert roles(messages) == ["user", "assistant", "tool", "assistant", "tool"]
    assert [message["content"] for message in messages if message["role"] == "tool"] == ["first", "second"]


async def test_between_results_and_a_person_stands_an_answer() -> None:
    messages = await sent(
        person("go"), Message("assistant", (call("one"),)), Message("tool", (result("one"),)), person("stop that")
    )
    assert roles(messages) == ["user", "assistant", "tool", "assistant", "user"]
    assert messages[3]["content"]


async def test_neighbours_of_one_role_are_joined() -> None:
    messages = await sent(person("a"), person("b"), model("c"), Message("assistant", (call("one"),)),
                          Message("tool", (result("one"),)), system="Be brief.")  # fmt: skip
    assert roles(messages) == ["system", "user", "assistant", "tool"]
    assert messages[1]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert (messages[2]["content"], len(messages[2]["tool_calls"])) == ("c", 1)


async def test_a_person_has_the_last_word() -> None:
    messages = await sent(person("Tell me"), model("Once upon a"))
    assert roles(messages) == ["user", "assistant", "user"]
    assert all("prefix" not in message for message in messages)


async def test_thoughts_without_words_are_no_message() -> None:
    thought = ReasoningPart(text="hm", origin=MISTRAL.origin, opaque={"type": "thinking", "thinking": []})
    messages = await sent(person("a"), Message("assistant", (thought,)), person("b"))
    assert roles(messages) == ["user"]


async def test_a_document_that_is_no_pdf_and_no_text_is_refused_here() -> None:
    sheet = MediaPart(media_type="application/vnd.ms-excel", data=b"x")
    with plugged(plays(b"")) as wire:
        error = await MISTRAL.fails(asked(messages=(Message("user", (sheet,)),)))
    assert (error.code, error.detail, wire.requests) == (ErrorCode.INVALID_REQUEST, "unsupported_media", [])


async def test_effort_is_passed_on() -> None:
    with plugged(plays(render(Answer(text=("ok",))))) as wire:
        await MISTRAL.read(asked(reasoning_effort="high"))
    assert wire.sent["reasoning_effort"] == "high"


# ---------------------------------------------------------------- endings and errors
async def test_a_full_context_is_named() -> None:
    with plugged(plays(chunk({"content": "and the"}) + ends("model_length"))):
        assert finished(await MISTRAL.read(asked())).reason is FinishReason.CONTEXT_FULL


async def test_an_answer_that_ends_in_an_error_is_none() -> None:
    with plugged(plays(chunk({"content": "half"}) + ends("error"))):
        error = await MISTRAL.fails(asked())
    assert (error.code, error.partial) == (ErrorCode.PROVIDER_UNAVAILABLE, True)


async def test_what_a_validator_found_is_said_in_a_sentence() -> None:
    found = {"detail": [{"type": "extra_forbidden", "loc": ["body", "top_x"], "msg": "Extra inputs are not permitted"}]}
    for body in (found, {"object": "error", "message": found, "type": "invalid_request_error"}):
        script = Script((json.dumps(body).encode(),), 422, {"content-type": "application/json"})
        with plugged(script):
            error = await MISTRAL.fails(asked())
        assert (error.code, error.message) == (ErrorCode.INVALID_REQUEST, "top_x: Extra inputs are not permitted")


async def test_a_guardrail_is_a_filter_and_not_a_missing_right() -> None:
    body = b'{"object":"error","message":"Blocked by guardrail: violence","type":"guardrail","code":null}'
    with plugged(Script((body,), 403)):
        assert (await MISTRAL.fails(asked())).code is ErrorCode.CONTENT_BLOCKED


async def test_a_warning_about_a_models_end_does_not_end_the_stream() -> None:
    """The SDK reads the body of an answer that carries this header, and a stream has none to read."""
    with plugged(plays(render(Answer(text=("ok",))), x_model_deprecation_timestamp="2027-01-14T12:00:00Z")):
        assert finished(await MISTRAL.read(asked())).reason is FinishReason.STOP


async def test_an_address_may_end_with_the_version_or_not() -> None:
    for base_url in ("http://vendor.test/", "http://vendor.test/v1", "http://vendor.test/v1/"):
        with plugged(plays(render(Answer(text=("ok",))))) as wire:
            await MISTRAL.read(asked(), MISTRAL.credential(base_url=base_url))
        assert wire.requests[0].url.path == "/v1/chat/completions"


# ---------------------------------------------------------------- the list
async def test_each_model_is_listed_once_by_the_id_that_moves_with_it() -> None:
    def row(row_id: str, name: str | None, *aliases: str, **over: Any) -> dict[str, Any]:
        chats = {"completion_chat": True}
        return {"id": row_id, "name": name, "aliases": aliases, "type": "base", "capabilities": chats, **over}

    rows = [
        row("mistral-large-2512", "mistral-large-2512", "mistral-large-latest"),
        row("mistral-large-latest", "mistral-large-2512", "mistral-large-2512"),
        row("codestral-2508", None, "codestral-2508-eu"),
        row("codestral-2508-eu", None, "codestral-2508"),
        row("ft:mistral-large:acme", "mistral-large-2512", type="fine-tuned"),
        row("ft:mistral-large:old", "mistral-large-2512", type="fine-tuned", archived=True),
        {"id": "strange", "type": "hologram"},
    ]
    with plugged(plays(json.dumps({"object": "list", "data": rows}).encode())):
        models = await MISTRAL.runtime.list_models(MISTRAL.credential())
    assert [one.model_id for one in models] == ["mistral-large-latest", "codestral-2508", "ft:mistral-large:acme"]
    assert models[0].supports_tools is None


async def test_a_step_of_several_calls_travels_whole() -> None:
    with plugged(plays(render(Answer(calls=(WEATHER, CLOCK))))):
        step = finished(await MISTRAL.read(asked())).message
    answers = Message("tool", (result("call_1"), result("call_2")))
    messages = await sent(person("go"), step, answers)
    assert roles(messages) == ["user", "assistant", "tool", "tool"]
    assert messages[1]["content"] == ""
