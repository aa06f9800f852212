"""Examples for JSON Schemas, the rules for tools, and the seals: the pure parts of the sandbox."""

from typing import Any

import jsonschema
import pytest

from providers.sandbox.answers import answer
from providers.sandbox.asks import Ask, Message, Result, Tool
from providers.sandbox.directives import Directives, read
from providers.sandbox.examples import example
from providers.sandbox.seals import holds, seal
from providers.sandbox.toolbox import uses

TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name", "children"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "integer", "minimum": 100, "multipleOf": 7},
        {"type": "integer", "exclusiveMinimum": -5, "exclusiveMaximum": -3},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "minimum": 0.5, "maximum": 0.5},
        {"type": "string", "minLength": 30, "maxLength": 31},
        {"type": "string", "pattern": "^[A-Z]{3}$"},
        {"type": "string", "format": "date"},
        {"type": ["null", "string"]},
        {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 2, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}], "items": False, "minItems": 2},
        {"anyOf": [{"type": "null"}, {"type": "integer", "maximum": 3}]},
        {"allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}, {"required": ["b"]}], "type": "object"},
        {"$defs": {"day": {"enum": ["mon", "tue"]}}, "type": "object", "properties": {"on": {"$ref": "#/$defs/day"}}},
        TREE,
    ],
)
def test_an_example_satisfies_its_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(example(schema), schema)


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {"$ref": "#"},
        {"$ref": "#/nowhere"},
        {"allOf": [{"$ref": "#"}]},
        {"allOf": [{"$ref": "#"}] * 100},
        {"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}, "required": ["a", "b"]},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "integer", "minimum": "many", "multipleOf": 0},
        {"type": "string", "pattern": "("},
        {"type": "string", "minLength": 10**12},
        {"type": "array", "minItems": 10**12, "items": {}},
        {"properties": 3, "required": [4], "type": "object"},
        {"type": 7, "enum": "x", "anyOf": {}},
    ],
)
def test_a_hopeless_schema_still_gets_an_answer_of_bounded_size(schema: Any) -> None:
    assert len(repr(example(schema))) < 2_000_000


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("Hi /slow 5 there", Directives("Hi  there", pace=5)),
        ("/tokens 12", Directives("", length=12)),
        ("/fault cut after 3 please", Directives("please", fault="cut", after=3)),
        ("/fault cut", Directives("", fault="cut")),
        ("a path/slow 5 and /slow", Directives("a path/slow 5 and /slow")),
        ("/tokens 9999999", Directives("", length=200_000)),
    ],
)
def test_directives_are_read_and_taken_out(text: str, directives: Directives) -> None:
    assert read(text) == directives


WEATHER, MAIL = Tool("get_weather", "", {}), Tool("send_mail", "", {})


def called(text: str, *, results: int = 0, **over: Any) -> list[tuple[str, str]]:
    said = (Message("user", text), *[Message("tool", results=(Result("get_weather", "x"),))] * results)
    return [(use.tool.name, use.hint) for use in uses(Ask("m", said, tools=(WEATHER, MAIL), **over), text)]


@pytest.mark.parametrize(
    ("text", "over", "expected"),
    [
        ("Hello", {}, []),
        ("How is the weather in Oslo?", {}, [("get_weather", "Oslo")]),
        ("Weather in Oslo and Rome", {}, [("get_weather", "Oslo"), ("get_weather", "Rome")]),
        ("Use a tool", {}, [("get_weather", "")]),
        ("Use all tools", {}, [("get_weather", ""), ("send_mail", "")]),
        ("get_weather, then send_mail", {}, [("get_weather", "")]),
        ("get_weather, then send_mail", {"results": 1}, [("send_mail", "")]),
        ("get_weather, then send_mail", {"results": 2}, []),
        ("How is the weather?", {"results": 1}, []),
        ("How is the weather?", {"tool_choice": "none"}, []),
        ("Hello", {"tool_choice": "required"}, [("get_weather", "")]),
        ("Hello", {"tool_choice": "send_mail"}, [("send_mail", "")]),
        ("Use all tools", {"parallel": False}, [("get_weather", "")]),
    ],
)
def test_tools_are_called_when_the_prompt_asks(
    text: str, over: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert called(text, **over) == expected


def test_the_specialists_are_all_given_the_task_at_once() -> None:
    team = (WEATHER, Tool("delegate_writer", "", {}), Tool("delegate_reviewer", "", {}))

    def given(text: str) -> list[tuple[str, str]]:
        return [(use.tool.name, use.hint) for use in uses(Ask("m", (Message("user", text),), tools=team), text)]

    asked = "Ask the specialists about leases"
    assert given(asked) == [("delegate_writer", asked), ("delegate_reviewer", asked)]
    assert given('Ask the specialists "a fjord"') == [("delegate_writer", "a fjord"), ("delegate_reviewer", "a fjord")]
    assert given("The writer shall say something") == [("delegate_writer", "The writer shall say something")]
    assert given("Hello") == []


def test_a_summary_has_a_line_for_each_turn_and_no_directive_lengthens_it() -> None:
    said = "Transcript:\n\n### You\n\nWhat is a lease? /tokens 500\n\n### Answer\n\nA contract."
    asked = Ask("m", (Message("user", said),), system="You write the summary of a conversation.")
    made = "".join(answer(asked, read(said)).text)
    assert made.endswith("- You: What is a lease?\n- Answer: A contract.")


def test_a_seal_is_bound_to_its_model_and_content() -> None:
    token = seal("one", "text")
    assert holds(token, "one", "text")
    assert holds(token.replace("+", "-").replace("/", "_").rstrip("="), "one", "text")
    assert not holds(token, "other", "text")
    assert not holds(token, "one", "call")
    assert not any(holds(wrong, "one", "text") for wrong in ("", "x", "gAAAAA", "é"))


def test_a_tool_loop_counts_as_one_answer() -> None:
    said = ("user", "assistant", "tool", "assistant", "user", "assistant")
    assert Ask("m", tuple(Message(role) for role in said)).seen == (2, 2)  # type: ignore[arg-type]
