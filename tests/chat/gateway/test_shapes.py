"""What a body means, on both wires, without a server: the same question, and the same refusals."""

import json
from base64 import b64encode
from typing import Any

import pytest

from accounts.problems import Problem
from chat.gateway import completions, responses, shapes
from chat.gateway.shapes import Question
from chat.protocol import MAX_INPUT_CHARS
from providers.contract import MediaPart, Message, TextPart, ToolCallPart, ToolResultPart, ToolSpec
from providers.events import Finished, FinishReason, TextDelta, Usage

PICTURE = f"data:image/png;base64,{b64encode(b'png').decode()}"
PAPER = f"data:application/pdf;base64,{b64encode(b'pdf').decode()}"
SCHEMA = {"type": "object"}
PARAMETERS = {"type": "object", "properties": {"zone": {"type": "string"}}}


def chat(**over: Any) -> Question:
    return completions.asked(json.dumps({"messages": [{"role": "user", "content": "Hi"}]} | over).encode())[1]


def response(**over: Any) -> Question:
    return responses.asked(json.dumps({"input": "Hi"} | over).encode())[1]


def function(name: str) -> dict[str, Any]:
    return {"name": name, "description": "The time.", "parameters": PARAMETERS}


def test_both_wires_ask_the_same_question() -> None:
    call = {"name": "clock", "arguments": '{"zone": "UTC"}'}
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": PICTURE}},
            {"type": "file", "file": {"file_data": PAPER, "filename": "a.pdf"}},
        ]},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [{"id": "c1", "function": call}]},
        {"role": "tool", "tool_call_id": "c1", "content": "noon"},
    ]  # fmt: skip
    items = [
        {"role": "user", "content": [
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "image_url": PICTURE},
            {"type": "input_file", "file_data": PAPER, "filename": "a.pdf"},
        ]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
        {"type": "function_call", "call_id": "c1", **call},
        {"type": "function_call_output", "call_id": "c1", "output": "noon"},
    ]  # fmt: skip
    shape = {"name": "person", "schema": SCHEMA}
    one = chat(
        model="m", messages=said, max_tokens=50, temperature=0.5, reasoning_effort="low",
        tools=[{"type": "function", "function": function("clock")}],
        tool_choice={"type": "function", "function": {"name": "clock"}},
        response_format={"type": "json_schema", "json_schema": shape},
    )  # fmt: skip
    other = response(
        model="m", input=items, instructions="Be brief.", max_output_tokens=50, temperature=0.5,
        reasoning={"effort": "low"}, tools=[{"type": "function", **function("clock")}],
        tool_choice={"type": "function", "name": "clock"}, text={"format": {"type": "json_schema", **shape}},
    )  # fmt: skip
    assert one == other
    assert one == Question(
        model="m",
        messages=(
            Message("user", (TextPart(text="What is this?"), MediaPart(media_type="image/png", data=b"png"),
                             MediaPart(media_type="application/pdf", data=b"pdf", filename="a.pdf"))),
            Message("assistant", (TextPart(text="Let me see."),
                                  ToolCallPart(call_id="c1", name="clock", arguments='{"zone": "UTC"}'))),
            Message("tool", (ToolResultPart(call_id="c1", name="clock", content="noon"),)),
        ),
        system="Be brief.", tools=(ToolSpec("clock", "The time.", PARAMETERS),), tool_choice="clock",
        schema=("person", SCHEMA), reasoning_effort="low", max_output_tokens=50, temperature=0.5,
    )  # fmt: skip
    assert one.needs == {"vision", "tools"}


def test_any_json_object_is_asked_for_in_words() -> None:
    for asked in (chat(response_format={"type": "json_object"}), response(text={"format": {"type": "json_object"}})):
        assert asked.system == shapes.JSON_OBJECT
        assert asked.schema is None


def test_what_changes_nothing_is_named_unless_it_says_nothing() -> None:
    assert chat(top_p=1, n=1, seed=None, logit_bias={}, stop=[]).ignored == ()
    assert chat(top_p=0.5, seed=7).ignored == ("top_p", "seed")
    assert response(truncation="disabled", store=False).ignored == ()
    assert response(truncation="auto", store=True).ignored == ("truncation", "store")


TOO_MANY = [function(f"f{number}") for number in range(shapes.MOST_TOOLS + 1)]


@pytest.mark.parametrize(
    ("over", "param"),
    [
        ({"messages": [{"role": "user", "content": "x"}] * (shapes.MOST_MESSAGES + 1)}, "messages"),
        ({"messages": [{"role": "user", "content": "x" * (MAX_INPUT_CHARS + 1)}]}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"tools": [{"function": one} for one in TOO_MANY]}, "tools"),
        ({"tools": [{"function": function("a")}] * 2}, "tools"),
        ({"tools": [{"function": function("a")}], "tool_choice": {"function": {"name": "b"}}}, "tool_choice"),
        ({"tools": [{"function": function("a")}], "tool_choice": "sometimes"}, "tool_choice"),
        ({"reasoning_effort": "enormous"}, "reasoning_effort"),
        ({"max_completion_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
    ],
)
def test_bounds_hold_in_a_completion(over: dict[str, Any], param: str) -> None:
    with pytest.raises(Problem) as caught:
        chat(**over)
    assert (caught.value.status, caught.value.extra["param"]) == (400, param)


@pytest.mark.parametrize(
    ("over", "param"),
    [
        ({"input": [{"role": "user", "content": "x"}] * (shapes.MOST_MESSAGES + 1)}, "input"),
        ({"input": [{"type": "computer_call"}]}, "input.0"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input.0.content"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": PAPER}]}]}, "input.0.content"),
        ({"input": [{"type": "function_call_output", "call_id": "c9", "output": "x"}]}, "input.0.call_id"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
        ({"tools": [{"type": "function", **one} for one in TOO_MANY]}, "tools"),
        ({"reasoning": {"effort": "enormous"}}, "reasoning_effort"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
    ],
)
def test_bounds_hold_in_a_response(over: dict[str, Any], param: str) -> None:
    with pytest.raises(Problem) as caught:
        response(**over)
    assert (caught.value.status, caught.value.extra["param"]) == (400, param)


# ---------------------------------------------------------------- the end
@pytest.mark.parametrize(
    ("reason", "finish", "cut"),
    [
        (FinishReason.STOP, "stop", None),
        (FinishReason.LENGTH, "length", "max_output_tokens"),
        (FinishReason.CONTEXT_FULL, "length", "max_output_tokens"),
        (FinishReason.CONTENT_BLOCKED, "content_filter", "content_filter"),
        (FinishReason.REFUSAL, "content_filter", None),
        (FinishReason.TOOL_CALLS, "tool_calls", None),
        (FinishReason.OTHER, "stop", None),
    ],
)
def test_an_end_is_told_for_what_it_is(reason: FinishReason, finish: str, cut: str | None) -> None:
    end = Finished(reason, Message("assistant", (TextPart(text="Hi"),)), Usage(input_tokens=3, output_tokens=1))
    *_, last = completions.Chunks("1", usage=False).of(end, "m")
    assert last["choices"][0]["finish_reason"] == finish
    assert completions.whole("1", end, "m")["choices"][0]["finish_reason"] == finish
    told = responses.whole(responses.Told("1", "m"), end, "m")
    assert (told["status"], told["incomplete_details"]) == (
        ("incomplete", {"reason": cut}) if cut else ("completed", None)
    )


def test_tokens_that_nobody_counted_are_not_made_up() -> None:
    end = Finished(FinishReason.STOP, Message("assistant", (TextPart(text="Hi"),)), Usage(input_tokens=3))
    assert completions.whole("1", end, "m")["usage"] is None
    assert responses.whole(responses.Told("1", "m"), end, "m")["usage"] is None


def test_the_role_is_told_once() -> None:
    chunks = completions.Chunks("1", usage=False)
    told = [one["choices"][0]["delta"] for word in ("a", "b") for one in chunks.of(TextDelta(0, word), "m")]
    assert told == [{"role": "assistant", "content": "a"}, {"content": "b"}]
