"""Model messages as JSON: how a finished answer keeps its vendor's own items for replay to the same origin."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
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


def dump(messages: Sequence[Message]) -> dict[str, Any]:
    """What was said in an answer, in order: the model's messages, and the results of its calls between them."""
    return {"messages": [{"role": one.role, "parts": [_dumped(part) for part in one.parts]} for one in messages]}


def _dumped(part: Part) -> dict[str, Any]:
    return {"part": NAMES[type(part)], **{each.name: _plain(getattr(part, each.name)) for each in fields(part)}}


def load(stored: Mapping[str, Any]) -> tuple[Message, ...]:
    """The messages of a dumped answer; an empty dict has none, and one without `messages` is a message itself."""
    messages = stored.get("messages", [stored] if stored else [])
    return tuple(Message(one["role"], tuple(_loaded(entry) for entry in one["parts"])) for one in messages)


def _loaded(entry: Mapping[str, Any]) -> Part:
    content = {key: _rich(value) for key, value in entry.items() if key != "part"}
    if content.get("origin"):
        content["origin"] = Origin(*content["origin"])
    return KINDS[entry["part"]](**content)
