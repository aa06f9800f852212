"""An example that satisfies a JSON Schema, always the same for the same schema; unknown keywords are ignored."""

import math
import re
from collections.abc import Mapping
from typing import Any

DEEPEST = 24
MOST_STEPS = 10_000
LONGEST_TEXT = 10_000
MOST_ITEMS = 100

_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT15M",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_CANDIDATES = (
    "example",
    "Example",
    "EXAMPLE",
    "a",
    "A",
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "A1",
    "a-1",
    "AB-123",
    "EUR",
    "#aabbcc",
)


def example(schema: Any, hint: str = "") -> Any:
    """An instance of `schema`; `hint` is text to use where any string would do."""
    root = schema if isinstance(schema, Mapping) else {}
    return _Maker(root, hint).make(root, "value", 0)


class _Maker:
    def __init__(self, root: Mapping[str, Any], hint: str) -> None:
        self.root = root
        self.hint = hint
        self.steps = 0

    def make(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, Mapping) or depth > DEEPEST or self.steps > MOST_STEPS:
            return None
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        for keyword in ("enum", "examples"):
            if isinstance(schema.get(keyword), list) and schema[keyword]:
                return schema[keyword][0]
        for keyword in ("anyOf", "oneOf"):
            if isinstance(schema.get(keyword), list) and schema[keyword]:
                rest = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
                return self.make(_merged(rest, self._simplest(schema[keyword])), name, depth + 1)
        return self._typed(schema, name, depth)

    def _typed(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        match _type(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number" as kind:
                return _number(schema, whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return _string(schema, name, self.hint)

    def _resolved(self, schema: Mapping[str, Any], depth: int = 0) -> Mapping[str, Any]:
        """The schema with what it refers to and consists of merged in; one that leads into itself ends somewhere."""
        for _ in range(DEEPEST - depth):
            self.steps += 1
            if self.steps > MOST_STEPS:
                break
            reference = schema.get("$ref")
            if isinstance(reference, str):
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = _merged(rest, self._pointed(reference))
            elif isinstance(schema.get("allOf"), list):
                rest = {key: value for key, value in schema.items() if key != "allOf"}
                for branch in schema["allOf"][:MOST_ITEMS]:
                    rest = _merged(rest, self._resolved(branch, depth + 1) if isinstance(branch, Mapping) else {})
                schema = rest
            else:
                break
        return schema

    def _pointed(self, reference: str) -> Mapping[str, Any]:
        target: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, Mapping) else {}
        return target if isinstance(target, Mapping) else {}

    def _simplest(self, branches: list[Any]) -> Mapping[str, Any]:
        """The first branch that cannot lead back into itself, so that a recursive schema ends."""
        known = [self._resolved(branch) for branch in branches if isinstance(branch, Mapping)]
        flat = [branch for branch in known if _type(branch) not in {"object", "array", "null"}]
        return (flat or known or [{}])[0]

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        required = [name for name in schema.get("required") or () if isinstance(name, str)]
        # Optional properties are shown near the top only: a recursive schema would never end otherwise.
        names = list(properties) if depth < 4 else [name for name in properties if name in required]
        names += [name for name in required if name not in names]
        return {name: self.make(properties.get(name, {"type": "string"}), name, depth + 1) for name in names}

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        least = _bound(schema, "minItems", 0)
        most = _bound(schema, "maxItems", MOST_ITEMS)
        first = [item for item in schema.get("prefixItems") or () if isinstance(item, Mapping)]
        count = min(max(least, len(first), 2 if depth < 4 else 0), most, MOST_ITEMS)
        items = schema.get("items", {"type": "string"})
        made = [self.make(first[i] if i < len(first) else items, name, depth + 1) for i in range(count)]
        return _distinct(made, items, least) if schema.get("uniqueItems") else made


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**one, **other}
    if isinstance(one.get("properties"), Mapping) and isinstance(other.get("properties"), Mapping):
        merged["properties"] = {**one["properties"], **other["properties"]}
    if isinstance(one.get("required"), list) and isinstance(other.get("required"), list):
        merged["required"] = [*one["required"], *other["required"]]
    return merged


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind.lower()  # Gemini's own dialect writes STRING
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _bound(schema: Mapping[str, Any], keyword: str, default: int) -> int:
    value = schema.get(keyword)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    least, over = _limit(schema, "minimum"), _limit(schema, "exclusiveMinimum")
    most, under = _limit(schema, "maximum"), _limit(schema, "exclusiveMaximum")
    step = _limit(schema, "multipleOf") or 1
    edges = [edge for edge in (least, over, most, under) if edge is not None]
    steps = [math.floor(edge / step) * step + move for edge in edges for move in (0, step, -step)]
    between = [sum(edges) / len(edges)] if len(edges) > 1 and not whole else []
    for value in (42, *steps, *edges, *between):
        above = (least is None or value >= least) and (over is None or value > over)
        below = (most is None or value <= most) and (under is None or value < under)
        stepped = "multipleOf" not in schema or math.isclose(value / step, round(value / step), abs_tol=1e-9)
        if above and below and stepped and (not whole or value == int(value)):
            return int(value) if whole else value
    return 42


def _limit(schema: Mapping[str, Any], keyword: str) -> int | float | None:
    value = schema.get(keyword)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return value if usable and (keyword != "multipleOf" or (value and value > 1e-9)) else None


def _string(schema: Mapping[str, Any], name: str, hint: str) -> str:
    usual = schema.get("default") or f"Example {name.replace('_', ' ')}"
    made = _FORMATS.get(str(schema.get("format")), hint or str(usual))
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and len(pattern) <= 200:
        try:
            found = re.compile(pattern)
        except re.error:
            found = re.compile("")
        made = next((text for text in (made[:40], *_CANDIDATES) if found.search(text)), made)
    most = min(_bound(schema, "maxLength", LONGEST_TEXT), LONGEST_TEXT)
    return made.ljust(min(_bound(schema, "minLength", 0), LONGEST_TEXT), ".")[:most]


def _distinct(made: list[Any], items: Any, least: int) -> list[Any]:
    options = items.get("enum") if isinstance(items, Mapping) else None
    if isinstance(options, list):
        return options[: max(least, 1)]
    if all(isinstance(item, str) for item in made):
        return [f"{item} {number}" for number, item in enumerate(made, 1)]
    if all(isinstance(item, int | float) for item in made):
        return [item + number for number, item in enumerate(made)]
    return made[: max(least, 1)]
