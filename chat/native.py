"""Model messages as JSON: how a finished answer keeps its vendor's own items for replay to the same origin."""

from base64 import b64decode, b64encode
from dataclasses import fields
from typing import Any

from chat.protocol import clean
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

KINDS: dict[str, type[Part]] = {
    "text": TextPart,
    "reasoning": ReasoningPart,
    "tool_call": ToolCallPart,
    "tool_result": ToolResultPart,
    "media": MediaPart,
    "opaque": Part,
}
NAMES = {kind: name for name, kind in KINDS.items()}
BYTES = "$bytes"


def _plain(value: Any) -> Any:
    """JSON that any database stores: bytes are wrapped, text is cleaned."""
    match value:
        case bytes():
            return {BYTES: b64encode(value).decode()}
        case str():
            return clean(value)
        case dict():
            return {clean(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _rich(value: Any) -> Any:
    match value:
        case {"$bytes": encoded} if len(value) == 1:
            return b64decode(encoded)
        case dict():
            return {key: _rich(item) for key, item in value.items()}
        case list():
            return [_rich(item) for item in value]
        case _:
            return value


def dump(message: Message) -> dict[str, Any]:
    parts = []
    for part in message.parts:
        content = {each.name: _plain(getattr(part, each.name)) for each in fields(part)}
        parts.append({"part": NAMES[type(part)], **content})
    return {"role": message.role, "parts": parts}


def load(stored: dict[str, Any]) -> tuple[Part, ...]:
    """The parts of a dumped message; an empty dict has none."""
    parts = []
    for entry in stored.get("parts", ()):
        content = {key: _rich(value) for key, value in entry.items() if key != "part"}
        if content.get("origin"):
            content["origin"] = Origin(*content["origin"])
        parts.append(KINDS[entry["part"]](**content))
    return tuple(parts)
