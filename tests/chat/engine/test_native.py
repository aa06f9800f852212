"""A finished answer keeps its vendor's own items exactly, through JSON and any database."""

import json

from chat import native
from providers.contract import (
    MediaPart,
    Message,
    Origin,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

ORIGIN = Origin("gemini", "gemini-pro", "credential:1")


def test_every_kind_of_part_comes_back_as_it_was() -> None:
    parts = (
        ReasoningPart(text="Hm.", kind="full", origin=ORIGIN, opaque={"thoughtSignature": b"\x00\xff", "n": [1, None]}),
        TextPart(text="Hello", origin=ORIGIN, opaque={"text": "Hello"}),
        ToolCallPart(call_id="c1", name="clock", arguments='{"zone": "UTC"}', origin=ORIGIN),
        ToolResultPart(call_id="c1", name="clock", content="noon"),
        MediaPart(media_type="image/png", data=b"\x89PNG", filename="a.png"),
        Part(origin=ORIGIN, opaque={"executableCode": {"code": "1 + 1"}}),
    )
    said = (Message("assistant", parts), Message("tool", parts[3:4]), Message("assistant", parts[1:2]))
    assert native.load(json.loads(json.dumps(native.dump(said)))) == said


def test_an_answer_that_was_stored_as_one_message_is_read_as_one() -> None:
    stored = {"role": "assistant", "parts": [{"part": "text", "text": "Hello", "origin": ["openai", "gpt"]}]}
    assert native.load(stored) == (Message("assistant", (TextPart(text="Hello", origin=Origin("openai", "gpt")),)),)


def test_what_no_database_stores_is_cleaned() -> None:
    part = TextPart(text="a", opaque={"te\x00xt": "b\x00\ud83d"})
    stored = json.dumps(native.dump([Message("assistant", (part,))]))
    assert "\\u0000" not in stored
    assert native.load(json.loads(stored))[0].parts[0].opaque == {"text": "b\ufffd"}


def test_an_answer_that_kept_nothing_has_no_parts() -> None:
    assert native.load({}) == ()
