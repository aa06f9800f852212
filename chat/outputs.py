"""JSON text and the values in it: strict reading, showing, and finding a place. Pure."""

import json
import math
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn

from chat.protocol import clean

FENCE = "```"


class NotJson(ValueError):
    """The text is no JSON; the message says where, `line` and `column` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def read(text: str) -> Any:
    """The value of a JSON text, as any database stores it. A fence around it is taken off. Raises NotJson."""
    bare = text.strip()
    if bare.startswith(FENCE) and bare.endswith(FENCE) and "\n" in bare:
        bare = bare.split("\n", 1)[1].removesuffix(FENCE)
    return storable(parse(bare))


def parse(text: str) -> Any:
    """Strict JSON: no NaN, no number without end. Raises NotJson."""
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        said = "it is empty" if not text.strip() else f"{error.msg} in line {error.lineno}, column {error.colno}"
        raise NotJson(f"This is not JSON: {said}.", error.lineno, error.colno) from None
    except RecursionError:
        raise NotJson("This JSON is nested too deep.") from None
    except ValueError as error:
        raise NotJson(f"This is not JSON: {error}.") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value


def storable(value: Any) -> Any:
    """The same JSON with only what any database stores."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(key): storable(inner) for key, inner in value.items()}
        case list():
            return [storable(inner) for inner in value]
        case _:
            return value


def shown(value: Any) -> str:
    """For people: indented, every character as itself."""
    return json.dumps(value, indent=2, ensure_ascii=False)


# ---------------------------------------------------------------- places
def place(text: str, path: tuple[str | int, ...]) -> tuple[int, int]:
    """Line and column, from 1, of what `path` leads to in a JSON text, or of the last step of it that is there."""
    at = _space(text, 0)
    for step in path:
        found = _member(text, at, step) if text[at] == "{" else _item(text, at, step)
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _member(text: str, at: int, wanted: str | int) -> int | None:
    at = _space(text, at + 1)
    while text[at] == '"':
        key, end = scanstring(text, at + 1)
        value = _space(text, _space(text, end) + 1)
        if key == wanted:
            return value
        at = _after(text, value)
    return None


def _item(text: str, at: int, wanted: str | int) -> int | None:
    if text[at] != "[" or not isinstance(wanted, int):
        return None
    at = _space(text, at + 1)
    for _ in range(wanted):
        if text[at] == "]":
            return None
        at = _after(text, at)
    return None if text[at] == "]" else at


def _after(text: str, at: int) -> int:
    """Where the next member or item begins, or the closing bracket."""
    end = _space(text, json.JSONDecoder().raw_decode(text, at)[1])
    return _space(text, end + 1) if text[end] == "," else end


def _space(text: str, at: int) -> int:
    while text[at : at + 1] in {" ", "\t", "\n", "\r"}:
        at += 1
    return at
