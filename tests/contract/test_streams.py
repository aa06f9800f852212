"""One answer, three wires, the same events."""

import pytest

from providers.contract import Message, ReasoningPart, TextPart, ToolCallPart
from providers.events import (
    CitationAdded,
    FinishReason,
    NativeEvent,
    PartDone,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolArgsDelta,
    ToolCallStarted,
    Usage,
    UsageUpdate,
)
from tests.contract.answers import CLOCK, MODEL, RESPONSE_ID, SOURCE, WEATHER, Answer, halves
from tests.contract.dialects import Dialect, asked, finished, plugged, speaking
from tests.contract.wire import plays

pytestmark = pytest.mark.anyio


def words(events: list[object]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_text_arrives_in_order_and_ends_once(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("Hel", "lo, ", "Ada"))))):
        events = await dialect.read(asked())
    started = next(event for event in events if isinstance(event, Started))
    assert (started.response_id, started.model) == (RESPONSE_ID, MODEL)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello, Ada"
    end = finished(events)
    assert end.reason is FinishReason.STOP
    assert [part.text for part in end.message.parts if isinstance(part, TextPart)] == ["Hello, Ada"]
    assert end.message.role == "assistant"
    assert end.response_id == RESPONSE_ID


async def test_usage_is_inclusive_on_every_wire(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("ok",))))):
        events = await dialect.read(asked())
    thought = None if dialect.provider_id == "mistral" else 5
    counted = Usage(input_tokens=30, cached_input_tokens=10, output_tokens=20, reasoning_tokens=thought)
    assert [event.usage for event in events if isinstance(event, UsageUpdate)][-1] == counted
    assert finished(events).usage == counted


async def test_reasoning_never_enters_the_answer(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("42",), reasoning=("I ", "think"))))):
        events = await dialect.read(asked())
    assert [event.text for event in events if isinstance(event, ReasoningDelta)] == ["I ", "think"]
    assert words(events) == "42"
    reasoning, text = finished(events).message.parts
    assert isinstance(reasoning, ReasoningPart)
    assert isinstance(text, TextPart)
    assert (reasoning.text, text.text) == ("I think", "42")


async def test_a_tool_call_starts_grows_and_is_kept_whole(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("Let me look.",), calls=(WEATHER,))))):
        events = await dialect.read(asked())
    (started,) = [event for event in events if isinstance(event, ToolCallStarted)]
    assert (started.call_id, started.name) == ("call_1", "weather")
    pieces = [event for event in events if isinstance(event, ToolArgsDelta)]
    assert {piece.call_id for piece in pieces} == {"call_1"}
    assert "".join(piece.fragment for piece in pieces) == '{"city":"Paris"}'
    end = finished(events)
    assert end.reason is FinishReason.TOOL_CALLS
    call = end.message.parts[-1]
    assert isinstance(call, ToolCallPart)
    assert (call.call_id, call.name, call.arguments) == ("call_1", "weather", '{"city":"Paris"}')
    assert call.origin == dialect.origin


async def test_parallel_calls_keep_their_arguments_apart(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(calls=(WEATHER, CLOCK))))):
        events = await dialect.read(asked())
    calls = [part for part in finished(events).message.parts if isinstance(part, ToolCallPart)]
    assert [(call.call_id, call.arguments) for call in calls] == [
        ("call_1", '{"city":"Paris"}'),
        ("call_2", '{"zone":"UTC"}'),
    ]
    assert len({event.part_index for event in events if isinstance(event, ToolCallStarted)}) == 2


async def test_every_finished_part_was_announced(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("a",), reasoning=("b",), calls=(WEATHER,))))):
        events = await dialect.read(asked())
    announced = tuple(event.part for event in events if isinstance(event, PartDone))
    assert finished(events).message == Message("assistant", announced)


async def test_length_stop_says_so(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("cut",), finish="length")))):
        assert finished(await dialect.read(asked())).reason is FinishReason.LENGTH


@speaking("openai", "gemini", "openai_compatible")
async def test_a_filtered_answer_says_so(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("cut",), finish="blocked")))):
        assert finished(await dialect.read(asked())).reason is FinishReason.CONTENT_BLOCKED


async def test_an_unknown_finish_reason_keeps_the_vendors_word(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("hm",), finish="odd")))):
        end = finished(await dialect.read(asked()))
    assert (end.reason, end.native_reason) == (FinishReason.OTHER, dialect.wire.ODD_REASON)


@speaking("openai", "anthropic", "openai_compatible")
async def test_a_refusal_is_shown_and_named(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(refusal=("I would ", "rather not."))))):
        events = await dialect.read(asked())
    assert words(events) == "I would rather not."
    assert finished(events).reason is FinishReason.REFUSAL


async def test_an_empty_answer_is_an_answer(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer()))):
        end = finished(await dialect.read(asked()))
    assert (end.reason, end.message.parts) == (FinishReason.STOP, ())


async def test_an_event_nobody_knows_is_kept_and_harmless(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("fine",), unknown=True)))):
        events = await dialect.read(asked())
    (native,) = [event for event in events if isinstance(event, NativeEvent)]
    assert native.native_type == dialect.wire.UNKNOWN
    assert "42" in str(native.data)
    assert words(events) == "fine"
    assert finished(events).reason is FinishReason.STOP


async def test_a_citation_has_one_shape_whoever_makes_it(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("see",), cited=True)))):
        events = await dialect.read(asked())
    more: dict[str, dict[str, object]] = {
        "openai": {"start": 0, "end": 2},
        "openai_compatible": {"start": 0, "end": 2},
        "anthropic": {"cited_text": "a"},
        "gemini": {"start": 0, "end": 2},
    }
    (citation,) = [event for event in events if isinstance(event, CitationAdded)]
    assert citation.data == SOURCE | more.get(dialect.provider_id, {})
    assert citation.part_index == 0


async def test_characters_survive_any_cut(dialect: Dialect) -> None:
    """Chunks of three bytes cut every line; the deltas cut an emoji in two, as some vendors do."""
    first, second = halves("naïve 東京 🦊")
    with plugged(plays(dialect.wire.render(Answer(text=(first, second))))):
        events = await dialect.read(asked())
    assert [part.text for part in finished(events).message.parts if isinstance(part, TextPart)] == ["naïve 東京 🦊"]


async def test_generate_is_the_streams_last_event(dialect: Dialect) -> None:
    with plugged(plays(dialect.wire.render(Answer(text=("done",))))):
        end = await dialect.runtime.generate(dialect.credential(), asked())
    assert [part.text for part in end.message.parts if isinstance(part, TextPart)] == ["done"]
