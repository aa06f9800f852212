"""From a journal to what a browser draws."""

import uuid
from datetime import UTC, datetime
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.models import Run
from chat.protocol import Entry, fold
from chat.render.cards import Place
from chat.render.names import By, by_of, moves_of
from chat.render.presentation import Presentation
from chat.render.route import Way, finished_route
from chat.render.stops import Stop

PLACE = Place(uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3))
BY = By("openai/gpt-x", "GPT X", "your key …4f2a")
STARTED = ("status", {"state": "started", "model": "openai/gpt-x", "credential": "own", "hint": "…4f2a"})
LABELS = {"openai/gpt-x": "GPT X"}
DONE = ("done", {"reason": "completed", "finish_reason": "stop", "usage": {}, "provider_id": "", "model_id": ""})


def text(delta: str) -> tuple[str, dict[str, Any]]:
    return "content_delta", {"delta": delta}


def thought(delta: str) -> tuple[str, dict[str, Any]]:
    return "reasoning_delta", {"delta": delta, "kind": "summary"}


def call(name: str) -> tuple[str, dict[str, Any]]:
    return "tool_call_start", {"tool_call_id": name, "name": name, "args": ""}


def journal(*events: tuple[str, dict[str, Any]]) -> list[Entry]:
    return [Entry(number, *event) for number, event in enumerate(events, start=1)]


def presented(entries: list[Entry], sizes: Random | None = None) -> Presentation:
    presentation = Presentation(BY, PLACE, clock=lambda: 0.0)
    while entries:
        size = sizes.randint(1, 5) if sizes else len(entries)
        presentation.feed(entries[:size], LABELS)
        entries = entries[size:]
    return presentation


EVENTS = st.one_of(
    st.sampled_from(["a ", "b\n", "\n", "- x\n", "```\n", "# h\n"]).map(text),
    st.sampled_from(["hm ", "so\n"]).map(thought),
    st.sampled_from(["read_limits", "search"]).map(call),
    st.just(("tool_call_delta", {"tool_call_id": "search", "delta": "{}"})),
    st.just(("tool_call_result", {"tool_call_id": "search", "result": "found"})),
    st.just(("status", {"state": "something new"})),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=20), st.randoms(use_true_random=False))
def test_what_is_drawn_depends_on_the_journal_alone(events: list[Any], random: Random) -> None:
    entries = journal(STARTED, *events)
    assert presented(entries, random).html() == presented(entries).html()


def as_a_runner_writes(events: list[Any]) -> list[Any]:
    """Each call starts once, and nothing is added to its input after its result."""
    kept: list[Any] = []
    over: set[tuple[str, str]] = set()
    for event_type, data in events:
        name = data.get("tool_call_id", "")
        closes = {"tool_call_start": "tool_call_start", "tool_call_result": "tool_call_delta"}.get(event_type, "")
        if (event_type, name) in over:
            continue
        over |= {(closes, name), (event_type, name)} if closes else set()
        kept.append((event_type, data))
    return kept


def drawn(stops: list[Stop]) -> list[tuple[str, str, str]]:
    shown = [(stop.kind, stop.blocks.text or stop.text, str(stop.html)) for stop in stops]
    return [each for each in shown if each[1] or each[0] != "answer"]


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=20))
def test_a_finished_stream_looks_like_the_stored_message(events: list[Any]) -> None:
    entries = journal(STARTED, *as_a_runner_writes(events), DONE)
    assert drawn(presented(entries).route.stops) == drawn(finished_route(fold(entries), BY).stops)


def test_text_comes_as_tail_and_then_as_a_finished_block() -> None:
    presentation = presented(journal(STARTED))
    first = presentation.feed([Entry(2, *text("one"))], LABELS)
    second = presentation.feed([Entry(3, *text("\n\ntwo\n"))], LABELS)
    assert first == [{"t": "x", "i": "1", "x": "one"}]
    assert second == [{"t": "c", "i": "1", "h": "<p>one</p>\n", "x": "two\n"}]


def test_the_opening_event_names_the_model_and_the_key() -> None:
    frames = Presentation(By(), PLACE).feed(journal(STARTED), LABELS)
    assert [frame["t"] for frame in frames] == ["st", "a"]
    assert "<strong>GPT X</strong>" in frames[0]["h"]
    assert "your key …4f2a" in frames[0]["h"]
    assert frames[1]["x"] == "GPT X is answering."


def test_reasoning_stands_before_the_answer_and_says_how_long_it_took() -> None:
    times = iter([10.0, 16.2])
    presentation = Presentation(BY, PLACE, clock=lambda: next(times))
    opened = presentation.feed(journal(STARTED, thought("hm")), LABELS)
    closed = presentation.feed([Entry(3, *text("so"))], LABELS)
    assert opened[2]["b"] == "1"
    assert opened[3] == {"t": "x", "i": "2", "x": "hm"}
    assert "Reasoned for 6 s" in closed[0]["h"]
    assert closed[1] == {"t": "x", "i": "1", "x": "so"}


def test_text_after_a_tool_call_gets_a_stop_of_its_own() -> None:
    entries = journal(STARTED, text("first"), call("search"), text("second"), DONE)
    assert [stop.kind for stop in presented(entries).route.stops] == ["answer", "tool", "answer"]


def test_a_tool_name_and_its_arguments_are_text() -> None:
    html = presented(journal(STARTED, call("<img src=x onerror=alert(1)>"))).html()
    assert "<img" not in html
    assert "&lt;img" in html


def run_that(**over: Any) -> Run:
    ended = datetime(2026, 11, 22, 14, 6, 21, tzinfo=UTC)
    return Run(**({"state": Run.State.DONE, "ended_at": ended, "created_at": ended} | over))


def test_the_end_says_who_answered_and_how_many_words_came() -> None:
    presentation = presented(journal(STARTED, text("one two three"), DONE))
    frames = presentation.end(run_that(), By("openai/gpt-x", "GPT X", "sandbox", 1.24, 412), "tools")
    assert [frame["t"] for frame in frames] == ["a", "end"]
    assert frames[0]["x"] == "Answer complete, 3 words."
    assert "1.2 s to first word" in frames[1]["by"]
    assert "412 tokens" in frames[1]["by"]


def test_a_stop_offers_to_go_on() -> None:
    presentation = presented(journal(STARTED, text("one"), DONE))
    frames = presentation.end(run_that(state=Run.State.STOPPED), BY, "")
    assert "You stopped this answer." in frames[0]["h"]
    assert f'value="continue:{PLACE.answer_id}"' in frames[0]["h"]


def test_a_link_defined_late_replaces_the_finished_text() -> None:
    presentation = presented(journal(STARTED, text("[a][r]\n\nb\n\n[r]: https://e.test\n")))
    frames = presentation.feed([Entry(3, *DONE)], LABELS)
    assert frames[-1]["t"] == "st"
    assert 'href="https://e.test"' in frames[-1]["h"]


def test_a_change_of_route_is_a_stop_before_the_answer_and_stays_one_after_a_reload() -> None:
    moved = {
        "state": "fallback",
        "reason": "rate_limited",
        "model": "gemini/flash",
        "credential": "workspace",
        "hint": "",
    }
    labels = {"openai/large": "GPT Large", "gemini/flash": "Gemini Flash"}
    started = {"state": "started", "requested": "", "model": "openai/large", "credential": "own", "hint": "…4f2a"}
    presentation = Presentation(BY, PLACE, clock=lambda: 0.0)
    entries = [("status", started), ("status", moved), ("content_delta", {"delta": "Hello"})]
    presentation.feed([Entry(number, *entry) for number, entry in enumerate(entries, 1)], labels)
    live = [(stop.kind, stop.title) for stop in presentation.route.stops]
    assert live == [("fallback", "GPT Large is rate limited, so Gemini Flash is answering."), ("answer", "")]
    assert presentation.by.fallback
    own = {"credential_source": "own", "credential_hint": "…4f2a", "credential_kind": "key"}
    lent = {"credential_source": "workspace", "credential_hint": "", "credential_kind": "key"}
    lines = [
        {"state": "attempt", "provider_id": "openai", "model_id": "large", "outcome": "rate_limited", **own},
        {"state": "fallback", "provider_id": "gemini", "model_id": "flash", "outcome": "answered", **lent},
    ]
    run = Run(trace={"attempts": lines}, served_model="gemini/flash", state=Run.State.DONE)
    by = by_of(run, labels)
    stored = finished_route([{"type": "text", "text": "Hello"}], by, Way(moves=moves_of(run, labels)))
    assert [(stop.kind, stop.title) for stop in stored.stops] == live
    assert "fallback" in stored.stops[-1].render()


def tool_stop(*events: tuple[str, dict[str, Any]]) -> str:
    return next(stop for stop in presented(journal(STARTED, *events)).route.stops if stop.kind == "tool").render()


def test_a_tool_call_says_how_it_stands() -> None:
    begun = (call("clock"), ("tool_call_delta", {"tool_call_id": "clock", "delta": "{}"}))
    waits = ("status", {"state": "awaiting_local_tool_results", "tool_call_ids": ["clock"]})
    result = {"tool_call_id": "clock", "result": "noon", "ms": 1234}
    assert "Calling <code>clock</code>" in tool_stop(*begun)
    assert "Waiting for the client\u2019s tool <code>clock</code>" in tool_stop(*begun, waits)
    done = tool_stop(*begun, waits, ("tool_call_result", result))
    assert "Called <code>clock</code>" in done
    assert "1.2 s" in done
    assert '<dt>Output</dt><dd class="raw">noon</dd>' in done
    failed = tool_stop(*begun, ("tool_call_result", result | {"is_error": True}))
    assert "failed" in failed
    assert "<dt>Failure</dt>" in failed
    assert "no result" in tool_stop(*begun, DONE)


def test_a_stored_tool_call_looks_as_it_did_live() -> None:
    result = ("tool_call_result", {"tool_call_id": "clock", "result": "x" * 9_000, "is_error": True, "ms": 40})
    entries = journal(STARTED, call("clock"), result, DONE)
    (stored,) = [stop.render() for stop in finished_route(fold(entries), BY).stops]
    assert stored == tool_stop(call("clock"), result, DONE)
    assert "[1,000 more characters went to the model.]" in stored


def test_a_server_without_an_answer_is_a_remark_on_the_way() -> None:
    missing = ("status", {"state": "tools_unavailable", "server": "Files", "reason": "It cannot be reached."})
    (note, _) = presented(journal(STARTED, missing)).route.stops
    assert (note.kind, note.title) == ("note", "The tools of Files are left out. It cannot be reached.")
