"""JSON Schemas that people send, draft 2020-12: refused when they could do harm, and values checked against them in
bounded time. Pure; what is asked of a model with them is a flow's business."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from chat.protocol import clean

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA_BYTES = 64 * 1024
MAX_DEPTH = 32
MOST_FAULTS = 10
FAULT_CHARS = 200
CHECK_SECONDS = 2.0
REFERENCES = ("$ref", "$dynamicRef")
# Here a key is a name that somebody chose, even when it reads like a keyword.
NAMES = ("properties", "$defs", "dependentSchemas")
OWN = ("$id", "$schema")

type Path = tuple[str | int, ...]
type Rule = Callable[[Any, Any, Any, Any], Iterator[Any] | None]


class SchemaRefused(ValueError):
    """This schema cannot be used; `path` leads to what is wrong in it."""

    def __init__(self, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a value. `path` is a JSON Pointer, empty for the whole."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def pointer(path: Path) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


# ---------------------------------------------------------------- the schema
def check(schema: Any) -> None:
    """Raises SchemaRefused."""
    if not isinstance(schema, Mapping):
        raise SchemaRefused("A schema is a JSON object.")
    if not _shallow(schema, MAX_DEPTH):
        raise SchemaRefused(f"The schema is nested more than {MAX_DEPTH} levels deep.")
    if _size(schema) > MAX_SCHEMA_BYTES:
        raise SchemaRefused(f"A schema may have {MAX_SCHEMA_BYTES // 1024} KiB.")
    dialect = schema.get("$schema", DIALECT)
    if not isinstance(dialect, str) or dialect.rstrip("#") != DIALECT:
        raise SchemaRefused(f"Schemas are read as draft 2020-12. Leave $schema out, or write {DIALECT}.", ("$schema",))
    _check_form(schema)
    for path, part in _parts(schema, ()):
        _check_part(schema, path, part)


def _size(schema: Mapping[str, Any]) -> int:
    try:
        return len(json.dumps(schema, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    except ValueError:
        raise SchemaRefused("A number in it is too large.") from None


def _shallow(value: Any, levels: int) -> bool:
    if not isinstance(value, Mapping | list):
        return True
    inner = value.values() if isinstance(value, Mapping) else value
    return levels > 0 and all(_shallow(one, levels - 1) for one in inner)


def _check_form(schema: Mapping[str, Any]) -> None:
    # A quarter of a second that few processes need.
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise SchemaRefused(error.message[:FAULT_CHARS], tuple(error.absolute_path)) from None


def _parts(value: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every object inside, whether a schema or not."""
    if isinstance(value, Mapping):
        yield path, value
        for key, inner in value.items():
            if key not in {"const", "enum", "default", "examples"}:
                yield from _parts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _parts(inner, (*path, index))


def _check_part(root: Mapping[str, Any], path: Path, part: Mapping[str, Any]) -> None:
    if path and path[-1] in NAMES and (len(path) < 2 or path[-2] not in NAMES):
        return  # here "$ref" or "pattern" is the name of a property
    for keyword in OWN:
        if path and isinstance(part.get(keyword), str):
            raise SchemaRefused(f"Only the schema as a whole may have {keyword}.", (*path, keyword))
    for keyword in REFERENCES:
        target = part.get(keyword)
        if isinstance(target, str) and not target.startswith("#"):
            raise SchemaRefused("A reference stays inside the schema: it begins with #.", (*path, keyword))
        if isinstance(target, str) and not _leads_somewhere(root, target):
            raise SchemaRefused(f"Nothing is at {target[:80]}.", (*path, keyword))
    if isinstance(part.get("patternProperties"), Mapping):
        raise SchemaRefused("Name the properties, or use additionalProperties.", (*path, "patternProperties"))
    pattern = part.get("pattern")
    if isinstance(pattern, str) and _pattern(pattern) is None:
        raise SchemaRefused("This pattern needs look-around or back-references, or is broken.", (*path, "pattern"))


def _leads_somewhere(root: Mapping[str, Any], target: str) -> bool:
    if target != "#" and not target.startswith("#/"):
        return any(target[1:] in (part.get("$anchor"), part.get("$dynamicAnchor")) for _, part in _parts(root, ()))
    found: Any = root
    for step in target.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and key.isascii() and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, Mapping) and key in found:
            found = found[key]
        else:
            return False
    return isinstance(found, Mapping | bool)


# ---------------------------------------------------------------- a value
def faults(value: Any, schema: Mapping[str, Any], seconds: float = CHECK_SECONDS) -> list[Fault]:
    """What is wrong with the value, the first ten; empty when it fits. Raises SchemaRefused for a schema that turns in
    circles or takes too long."""
    from referencing import Registry  # noqa: PLC0415 - see _check_form

    # Without a registry of its own, jsonschema would fetch what a reference names.
    root = {key: inner for key, inner in schema.items() if key != "$schema"}
    validator = _validator()(root, registry=Registry())
    asked = _until.set(time.monotonic() + seconds)
    try:
        found = list(islice(validator.iter_errors(value), MOST_FAULTS))
    except RecursionError:
        raise SchemaRefused("The schema refers to itself without end.") from None
    finally:
        _until.reset(asked)
    return [Fault(pointer(tuple(error.absolute_path)), clean(error.message[:FAULT_CHARS])) for error in found]


_until: ContextVar[float] = ContextVar("until")


@cache
def _validator() -> Any:
    """Draft 2020-12 with a deadline, and with patterns and uniqueness in linear time."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - see _check_form
    from jsonschema.validators import extend  # noqa: PLC0415

    rules = {**Draft202012Validator.VALIDATORS, "pattern": _matches, "uniqueItems": _unique}
    return extend(Draft202012Validator, {name: _timed(rule) for name, rule in rules.items()})  # type: ignore[no-untyped-call]


def _timed(rule: Rule) -> Rule:
    def run(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Any]:
        if time.monotonic() > _until.get():
            raise SchemaRefused("Checking an answer against this schema takes too long.")
        yield from rule(validator, wanted, value, schema) or ()  # some rules give None

    return run


def _matches(validator: Any, wanted: str, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - see _check_form

    matcher = _pattern(wanted)
    if isinstance(value, str) and matcher is not None and not matcher(value):
        yield ValidationError(f"{value[:80]!r} does not match {wanted[:80]!r}")


def _unique(validator: Any, wanted: bool, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - see _check_form

    if wanted and isinstance(value, list) and len({_canonical(one) for one in value}) < len(value):
        yield ValidationError("The items are not all different")


def _canonical(value: Any) -> str:
    """Equal JSON gives equal text: 1 and 1.0 are one number."""
    return json.dumps(_whole(value), sort_keys=True)


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _whole(inner) for key, inner in value.items()}
        case list():
            return [_whole(inner) for inner in value]
        case _:
            return value


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> Callable[[str], bool] | None:
    """A search with this pattern, in time linear in the text whatever the pattern; None when that cannot be."""
    from pydantic_core import SchemaError, SchemaValidator, core_schema  # noqa: PLC0415 - loaded where patterns are used

    try:
        made = SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError:
        return None
    return made.isinstance_python
