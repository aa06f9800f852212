"""What only Anthropic is sent: a limit in every request, thoughts in its own words, and those of this loop again."""

from typing import Any

import pytest

from providers.adapters import anthropic_input
from providers.contract import (
    GenerateRequest,
    MediaPart,
    Message,
    Origin,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from providers.errors import ErrorCode
from providers.events import ReasoningDelta
from tests.contract.answers import MODEL, WEATHER, Answer
from tests.contract.anthropic_wire import block, ended, stream
from tests.contract.dialects import DIALECTS, Dialect, asked, finished, plugged
from tests.contract.wire import plays

pytestmark = pytest.mark.anyio

ORIGIN = Origin("anthropic", MODEL, "credential:1")
QUESTION = Message("user", (TextPart(text="Weather?"),))
THOUGHT = {"type": "thinking", "thinking": "hmm", "signature": "c2lnbmVk"}
CALL = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Paris"}}
RESULT = Message("tool", (ToolResultPart(call_id="call_1", name="weather", content="sunny"),))
TOOL = ToolSpec("weather", "Tells the weather.", {"type": "object"})


@pytest.fixture
def dialect() -> Dialect:
    (found,) = [dialect for dialect in DIALECTS if dialect.provider_id == "anthropic"]
    return found


def body(*messages: Message, model: str = MODEL, **over: Any) -> dict[str, Any]:
    return anthropic_input.body(GenerateRequest(model, messages, **over), ORIGIN._replace(model_id=model))


async def step(dialect: Dialect) -> Message:
    with plugged(plays(dialect.wire.render(Answer(reasoning=("hmm",), calls=(WEATHER,))))):
        return finished(await dialect.read(asked())).message


# ---------------------------------------------------------------- requests
async def test_the_version_is_pinned_and_the_key_is_a_bearer_token(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))) as wire:
        await dialect.read(asked())
    assert wire.head["anthropic-version"] == "2026-10-21"
    assert wire.head["authorization"].startswith("Bearer sk-contract-")
    assert "x-api-key" not in wire.head


def test_every_request_has_a_limit_and_none_a_temperature() -> None:
    plain = body(QUESTION, temperature=0.0)
    assert (plain["max_tokens"], "temperature" in plain) == (32_000, False)
    assert body(QUESTION, max_output_tokens=7)["max_tokens"] == 7


def test_the_person_is_an_opaque_identifier() -> None:
    assert body(QUESTION, end_user="u-1")["metadata"] == {"user_id": "u-1"}


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "sent_effort"),
    [
        ("claude-opus-5-5", None, {"type": "adaptive", "display": "summarized"}, None),
        ("claude-opus-4-6", "high", {"type": "adaptive", "display": "summarized"}, "high"),
        ("claude-fable-5-2", "minimal", {"type": "adaptive", "display": "summarized"}, "low"),
        ("claude-sonnet-5", "none", {"type": "disabled"}, None),
        ("claude-haiku-4-5-20251001", None, None, None),
        ("claude-haiku-4-5", "medium", {"type": "enabled", "budget_tokens": 8192}, None),
        ("claude-opus-4-20250514", "low", {"type": "enabled", "budget_tokens": 2048}, None),
        ("claude-haiku-4-5", "none", None, None),
        ("claude-3-opus-20240229", "high", None, None),
        ("a-gateways-name", None, None, None),
        ("a-gateways-name", "high", {"type": "adaptive", "display": "summarized"}, "high"),
    ],
)
def test_each_generation_is_asked_to_think_in_its_own_words(
    model: str, effort: str | None, thinking: dict[str, Any] | None, sent_effort: str | None
) -> None:
    written = body(QUESTION, model=model, reasoning_effort=effort)
    assert written.get("thinking") == thinking
    assert written.get("output_config", {}).get("effort") == sent_effort


def test_a_budget_stays_below_the_limit_or_is_left_out() -> None:
    budget = body(QUESTION, model="claude-haiku-4-5", reasoning_effort="max", max_output_tokens=4000)["thinking"]
    assert budget == {"type": "enabled", "budget_tokens": 3999}
    assert "thinking" not in body(QUESTION, model="claude-haiku-4-5", reasoning_effort="max", max_output_tokens=1024)


def test_an_answer_of_a_few_words_is_asked_for_without_thoughts() -> None:
    assert "thinking" not in body(QUESTION, model="claude-haiku-5-5", max_output_tokens=64)


def test_a_forced_call_is_asked_for_without_thoughts() -> None:
    written = body(QUESTION, model="claude-opus-5-5", tools=(TOOL,), tool_choice="required", reasoning_effort="high")
    assert "thinking" not in written
    assert written["tool_choice"] == {"type": "any"}


def test_a_schema_is_closed_and_loses_what_the_vendor_does_not_know() -> None:
    schema = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}}
    sent = body(QUESTION, response_schema=("person", schema))["output_config"]["format"]["schema"]
    assert sent["additionalProperties"] is False
    assert sent["properties"]["age"] == {"type": "integer", "description": "{minimum: 0}"}
    assert schema["properties"] == {"age": {"type": "integer", "minimum": 0}}


@pytest.mark.parametrize("schema", [{}, {"type": "array", "items": 7}])
def test_a_schema_that_is_none_is_left_to_the_vendor(schema: dict[str, Any]) -> None:
    assert body(QUESTION, response_schema=("odd", schema))["output_config"]["format"]["schema"] == schema


async def test_an_image_of_a_kind_that_the_vendor_cannot_read_is_refused_here(dialect: Dialect) -> None:
    drawing = Message("user", (MediaPart(media_type="image/svg+xml", data=b"<svg/>"),))
    with plugged(plays(b"")) as wire:
        error = await dialect.fails(asked(messages=(drawing,)))
    assert (error.code, error.detail, wire.requests) == (ErrorCode.INVALID_REQUEST, "unsupported_media", [])


# ---------------------------------------------------------------- replay
async def test_in_a_tool_loop_thoughts_go_back_verbatim(dialect: Dialect) -> None:
    turns = body(QUESTION, await step(dialect), RESULT)["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert turns[1]["content"] == [THOUGHT, CALL]
    assert turns[2]["content"] == [{"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"}]


async def test_thoughts_of_earlier_turns_are_left_out(dialect: Dialect) -> None:
    answer = Message("assistant", (ReasoningPart(text="so", origin=ORIGIN, opaque=THOUGHT), TextPart(text="Sunny.")))
    turns = body(QUESTION, await step(dialect), RESULT, answer, QUESTION)["messages"]
    assert "hmm" not in repr(turns)
    assert [block["type"] for block in turns[1]["content"]] == ["tool_use"]
    assert turns[3]["content"] == [{"type": "text", "text": "Sunny."}]


async def test_a_thought_without_its_signature_is_never_sent_back(dialect: Dialect) -> None:
    unsigned = dialect.wire.render(Answer(reasoning=("hmm",), calls=(WEATHER,))).replace(b"c2lnbmVk", b"")
    with plugged(plays(unsigned)):
        cut = finished(await dialect.read(asked())).message
    assert [type(part) for part in cut.parts] == [ReasoningPart, ToolCallPart]
    assert body(QUESTION, cut, RESULT)["messages"][1]["content"] == [CALL]


async def test_hidden_and_redacted_thoughts_go_back_too(dialect: Dialect) -> None:
    hidden = block({"type": "thinking", "thinking": ""}, {"type": "signature_delta", "signature": "eA=="})
    redacted = [{**event, "index": 1} for event in block({"type": "redacted_thinking", "data": "ZGF0YQ=="})]
    with plugged(plays(stream(*hidden, *redacted, *ended("end_turn")))):
        events = await dialect.read(asked())
    assert [event for event in events if isinstance(event, ReasoningDelta)] == []
    turns = body(QUESTION, finished(events).message)["messages"]
    signed = {"type": "thinking", "thinking": "", "signature": "eA=="}
    assert turns[1]["content"] == [signed, {"type": "redacted_thinking", "data": "ZGF0YQ=="}]
    assert turns[2] == {"role": "user", "content": [{"type": "text", "text": "Continue."}]}


def test_a_budgeted_model_does_not_think_in_a_loop_that_began_without_a_thought() -> None:
    foreign = Message("assistant", (ToolCallPart(call_id="call_1", name="weather"),))
    over: dict[str, Any] = {"model": "claude-haiku-4-5", "reasoning_effort": "high", "tools": (TOOL,)}
    assert "thinking" not in body(QUESTION, foreign, RESULT, **over)
    assert "thinking" in body(QUESTION, **over)


def test_all_results_come_first_in_the_very_next_message() -> None:
    calls = Message("assistant", tuple(ToolCallPart(call_id=name, name="f") for name in ("a", "b")))
    one, two = (Message("tool", (ToolResultPart(call_id=name, name="f", content=name),)) for name in ("a", "b"))
    for between in ("user", "assistant"):
        turns = body(QUESTION, calls, one, Message(between, (TextPart(text="Hurry."),)), two, QUESTION)["messages"]
        assert [part["type"] for part in turns[1]["content"]] == ["tool_use", "tool_use"]
        assert [part["type"] for part in turns[2]["content"][:2]] == ["tool_result", "tool_result"]
        assert repr(turns).count("tool_result") == 2


def test_ids_of_other_models_are_made_fit_and_unique() -> None:
    call = Message("assistant", (ToolCallPart(call_id="f:0", name="f", arguments="not json"),))
    result = Message("tool", (ToolResultPart(call_id="f:0", name="f", content="", is_error=True),))
    turns = body(QUESTION, call, result, QUESTION, call, result)["messages"]
    sent = [block for turn in turns for block in turn["content"] if block["type"] != "text"]
    assert [block.get("id", block.get("tool_use_id")) for block in sent] == ["f_0", "f_0", "f_0_2", "f_0_2"]
    assert sent[0]["input"] == {"arguments": "not json"}
    assert (sent[1]["content"], sent[1]["is_error"]) == ("The tool failed.", True)


def test_blank_text_is_left_out() -> None:
    blank = Message("assistant", (TextPart(text=" \n"), TextPart(text="Yes.")))
    turns = body(QUESTION, blank, Message("user", (TextPart(text=""), TextPart(text="And?"))))["messages"]
    assert [turn["content"] for turn in turns[1:]] == [
        [{"type": "text", "text": "Yes."}],
        [{"type": "text", "text": "And?"}],
    ]


async def test_cited_text_keeps_its_citations(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("see",), cited=True)))):
        answer = finished(await dialect.read(asked())).message
    (text,) = body(QUESTION, answer, QUESTION)["messages"][1]["content"]
    assert text["citations"][0]["encrypted_index"] == "aW5kZXg="
