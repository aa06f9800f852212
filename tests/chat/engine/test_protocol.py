"""The journal's vocabulary and the fold: pure, so tested without a database."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import EVENT_TYPES, Entry, Fold, clean, done, failure, fold, join, record
from providers import events
from providers.contract import Message
from providers.errors import REMEDIES, ErrorCode, ProviderError

deltas = st.text(max_size=8)
steps = st.one_of(
    st.tuples(st.just("content_delta"), st.fixed_dictionaries({"delta": deltas})),
    st.tuples(
        st.just("reasoning_delta"),
        st.fixed_dictionaries({"delta": deltas, "kind": st.sampled_from(["full", "summary"])}),
    ),
    st.tuples(
        st.just("tool_call_start"),
        st.fixed_dictionaries({"tool_call_id": st.sampled_from("ab"), "name": st.just("look"), "args": st.just("")}),
    ),
    st.tuples(
        st.just("tool_call_delta"), st.fixed_dictionaries({"tool_call_id": st.sampled_from("ab"), "delta": deltas})
    ),
    st.tuples(st.just("status"), st.fixed_dictionaries({"state": st.just("native")})),
)


def numbered(log: list[tuple[str, dict[str, Any]]]) -> list[Entry]:
    return [Entry(position, kind, data) for position, (kind, data) in enumerate(log, start=1)]


@given(st.lists(steps, max_size=30))
def test_joining_deltas_never_changes_what_they_mean(log: list[tuple[str, dict[str, Any]]]) -> None:
    assert fold(numbered(join(log))) == fold(numbered(log))


@given(st.lists(steps, max_size=30))
def test_folding_step_by_step_equals_folding_every_prefix(log: list[tuple[str, dict[str, Any]]]) -> None:
    state = Fold()
    for length, (kind, data) in enumerate(log, start=1):
        state.add(kind, data)
        assert state.parts == fold(numbered(log[:length]))


def test_parts_keep_the_order_in_which_they_came() -> None:
    log: list[tuple[str, dict[str, Any]]] = [
        ("reasoning_delta", {"delta": "Let me ", "kind": "summary"}),
        ("reasoning_delta", {"delta": "look.", "kind": "summary"}),
        ("tool_call_start", {"tool_call_id": "c1", "name": "clock", "args": ""}),
        ("tool_call_delta", {"tool_call_id": "c1", "delta": '{"zone":'}),
        ("tool_call_delta", {"tool_call_id": "c1", "delta": '"UTC"}'}),
        ("tool_call_result", {"tool_call_id": "c1", "result": "noon"}),
        ("content_delta", {"delta": "It is "}),
        ("content_delta", {"delta": "noon."}),
    ]
    assert fold(numbered(log)) == [
        {"type": "reasoning", "kind": "summary", "text": "Let me look."},
        {"type": "tool_call", "id": "c1", "name": "clock", "args": '{"zone":"UTC"}', "result": "noon"},
        {"type": "text", "text": "It is noon."},
    ]


@given(st.text(alphabet=st.characters(), max_size=20))
def test_cleaned_text_can_be_stored_anywhere(text: str) -> None:
    stored = clean(text + "\x00\ud83d")
    assert "\x00" not in stored
    stored.encode("utf-8")


def test_halves_of_one_emoji_become_one_again() -> None:
    assert clean("\ud83d\ude00") == "\U0001f600"


def test_provider_events_map_to_the_closed_set() -> None:
    samples: list[events.StreamEvent] = [
        events.Started(),
        events.TextDelta(0, "a"),
        events.ReasoningDelta(0, "b"),
        events.ToolCallStarted(1, "c1", "clock"),
        events.ToolArgsDelta(1, "c1", "{}"),
        events.CitationAdded(0, {"url": "https://example.com"}),
        events.NativeEvent("response.new_thing"),
        events.AttemptChanged("retry", 2, "openai", "m"),
        events.UsageUpdate(events.Usage(1)),
    ]
    recorded = [entry for event in samples if (entry := record(event))]
    assert {kind for kind, _ in recorded} <= EVENT_TYPES
    assert recorded[-1] == ("status", {"state": "retry", "attempt": 2, "provider_id": "openai", "model_id": "m"})


def test_done_names_who_answered() -> None:
    usage = events.Usage(input_tokens=10, output_tokens=3)
    finished = events.Finished(events.FinishReason.STOP, Message("assistant", ()), usage=usage, response_id="r1")
    assert done(finished, provider_id="openai", model_id="gpt") == {
        "reason": "completed",
        "finish_reason": "stop",
        "usage": {"input_tokens": 10, "output_tokens": 3, "estimated": False},
        "provider_id": "openai",
        "model_id": "gpt",
        "response_id": "r1",
    }


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_failure_has_words_and_a_remedy(code: ErrorCode) -> None:
    data = failure(ProviderError(code, "Something", provider_id="openai", retry_after=7))
    assert data["code"] == code.value
    assert data["remediation"] == REMEDIES[code].sentence
    assert data["retry_after"] == 7
    assert REMEDIES[code].label
