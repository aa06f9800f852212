"""Which schemas are taken, what is wrong with a value, and that neither can keep the process busy."""

import time
from typing import Any

import pytest

from chat import outputs, schemas
from chat.schemas import SchemaRefused
from tests.chat.flows.conftest import CONTACT

DEEP: dict[str, Any] = {"type": "object"}
for _ in range(40):
    DEEP = {"type": "object", "properties": {"a": DEEP}}


@pytest.mark.parametrize(
    ("schema", "says", "path"),
    [
        ([], "is a JSON object", ()),
        ({"type": "strnig"}, "is not valid under any of the given schemas", ("type",)),
        (DEEP, "levels deep", ()),
        ({"description": "x" * 70_000}, "64 KiB", ()),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "2020-12", ("$schema",)),
        ({"properties": {"a": {"$ref": "https://example.com/s.json"}}}, "stays inside", ("properties", "a", "$ref")),
        ({"$ref": "file:///etc/passwd"}, "stays inside", ("$ref",)),
        ({"items": {"$ref": "#/$defs/nowhere"}}, "Nothing is at", ("items", "$ref")),
        ({"$defs": {"a": {"$id": "https://example.com/"}}}, "as a whole", ("$defs", "a", "$id")),
        ({"items": {"pattern": "(?=a)b"}}, "look-around", ("items", "pattern")),
        ({"patternProperties": {"^a": {}}}, "additionalProperties", ("patternProperties",)),
        ({"minimum": float("inf")}, "too large", ()),
    ],
)
def test_a_schema_that_could_do_harm_is_refused_with_its_place(schema: Any, says: str, path: tuple[str, ...]) -> None:
    with pytest.raises(SchemaRefused, match=says) as refused:
        schemas.check(schema)
    assert refused.value.path == path


@pytest.mark.parametrize(
    "schema",
    [
        {},
        CONTACT,
        {"$schema": schemas.DIALECT, "type": "object"},
        {"$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}}}, "$ref": "#/$defs/node"},
        {"properties": {"$ref": {"type": "string"}, "pattern": {"type": "string"}, "$id": {"type": "string"}}},
        {"const": {"$ref": "https://example.com"}},
    ],
)
def test_an_ordinary_schema_is_taken(schema: Any) -> None:
    schemas.check(schema)


def test_what_is_wrong_is_said_with_its_path() -> None:
    assert schemas.faults({"name": "Ada", "age": 36}, CONTACT) == []
    wrong = schemas.faults({"name": 1, "age": -1}, CONTACT)
    assert sorted(fault.path for fault in wrong) == ["/age", "/name"]
    assert "is less than the minimum of 0" in str(wrong[0]) + str(wrong[1])


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|a)*$", "(.*)*x"])
def test_a_pattern_takes_linear_time_whatever_it_is(pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern}
    schemas.check(schema)
    began = time.monotonic()
    schemas.faults("a" * 50_000 + "!", schema)
    assert time.monotonic() - began < 2


def test_a_schema_that_turns_in_circles_is_refused() -> None:
    for schema in ({"$ref": "#"}, {"allOf": [{"$ref": "#"}], "$schema": schemas.DIALECT}):
        schemas.check(schema)
        with pytest.raises(SchemaRefused, match=r"without end|too long"):
            schemas.faults({}, schema)


def test_a_schema_that_doubles_its_work_is_given_up() -> None:
    doubled: dict[str, Any] = {"$defs": {"s0": {"type": "object"}}, "$ref": "#/$defs/s25"}
    for level in range(1, 26):
        doubled["$defs"][f"s{level}"] = {"allOf": [{"$ref": f"#/$defs/s{level - 1}"}] * 2}
    schemas.check(doubled)
    began = time.monotonic()
    with pytest.raises(SchemaRefused, match="too long"):
        schemas.faults({}, doubled, seconds=0.3)
    assert time.monotonic() - began < 3


def test_items_are_compared_as_json_does() -> None:
    unique = {"type": "array", "uniqueItems": True}
    assert schemas.faults([1, True, "1", {"a": 1}, {"a": 2}], unique) == []
    assert schemas.faults([1, 1.0], unique) != []
    assert schemas.faults([{"a": 1, "b": 2}, {"b": 2, "a": 1}], unique) != []
    assert schemas.faults([{"a": number} for number in range(20_000)], unique) == []


@pytest.mark.parametrize("text", ["", "NaN", "[1e999]", "[" * 100_000, "{'a': 1}", '{"a": 1} and more', "9" * 5000])
def test_only_json_is_json(text: str) -> None:
    with pytest.raises(outputs.NotJson):
        outputs.read(text)


def test_a_fence_is_taken_off_and_what_no_database_stores_is_replaced() -> None:
    assert outputs.read('```json\n{"a": "b\\u0000\\ud800"}\n```') == {"a": "b\ufffd"}


def test_a_place_in_a_schema_is_found_by_its_path() -> None:
    text = '{\n  "type": "object",\n  "properties": {\n    "a": [1, {"type": 3}]\n  }\n}'
    assert outputs.place(text, ("properties", "a", 1, "type")) == (4, 23)
    assert outputs.place(text, ("properties", "b")) == (3, 17)
    assert outputs.place(text, ()) == (1, 1)
