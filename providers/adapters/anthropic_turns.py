"""Writes a conversation as Anthropic's Messages API takes it: turns of blocks, each result behind its call."""

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from providers import replay, wire
from providers.contract import (
    GenerateRequest,
    MediaPart,
    Message,
    Origin,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

NOTHING_SAID = "…"
GO_ON = "Continue."

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
# A message that ends with one of these is whole.
_FINAL = frozenset({"text", "thinking", "redacted_thinking"})
_STRANGE = re.compile(r"[^a-zA-Z0-9_-]")


def turns_of(request: GenerateRequest, origin: Origin) -> list[dict[str, Any]]:
    """Neighbours of one role are joined, results stand right behind their calls, and a person has the last word.

    Raises `ProviderError` for media that the vendor cannot read.
    """
    turns: list[dict[str, Any]] = []
    messages = list(replay.replayable(list(_forgotten(request.messages)), origin))
    results, taken = _results(messages), set[str]()
    for message in messages:
        if message.role != "assistant":
            _add(turns, "user", list(_asked(message, origin[0])))
            continue
        said: list[dict[str, Any]] = []
        answers: list[dict[str, Any]] = []
        for part in message.parts:
            if not isinstance(part, ToolCallPart):
                said += _said(part)
            elif results[part.call_id]:
                call_id = _fit(part.call_id, taken)
                said.append(_call(part, call_id))
                answers.append(_result(results[part.call_id].popleft(), call_id))
        _add(turns, "assistant", said)
        _add(turns, "user", answers)
    return _framed(turns)


def _add(turns: list[dict[str, Any]], role: str, blocks: list[dict[str, Any]]) -> None:
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    elif blocks:
        turns.append({"role": role, "content": blocks})


def _framed(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The vendor takes no conversation that the model began, nor one that it has begun to go on with, unless it paused:
    then the last block is one of its own tools."""
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [_text(NOTHING_SAID)]})
    if turns and turns[-1]["role"] == "assistant" and turns[-1]["content"][-1]["type"] in _FINAL:
        turns.append({"role": "user", "content": [_text(GO_ON)]})
    return turns


def _results(messages: Sequence[Message]) -> dict[str, deque[ToolResultPart]]:
    """In their order by call: some servers give the same id to a call of every answer."""
    found: dict[str, deque[ToolResultPart]] = defaultdict(deque)
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                found[part.call_id].append(part)
    return found


def _forgotten(messages: Sequence[Message]) -> Iterator[Message]:
    """Without the thoughts of earlier turns: they are bound to what was said before them, and belong to one loop."""
    people = [index for index, message in enumerate(messages) if _is_persons(message)]
    start = people[-1] if people else 0
    for index, message in enumerate(messages):
        if index < start and message.role == "assistant":
            parts = tuple(part for part in message.parts if not isinstance(part, ReasoningPart))
            yield replace(message, parts=parts)
        else:
            yield message


def _is_persons(message: Message) -> bool:
    return message.role == "user" and any(not isinstance(part, ToolResultPart) for part in message.parts)


def unopened(turns: list[dict[str, Any]]) -> bool:
    """Whether the newest message of the model is in a tool loop and does not begin with a thought."""
    if not turns or not any(block["type"] == "tool_result" for block in turns[-1]["content"]):
        return False
    newest = next((turn for turn in reversed(turns) if turn["role"] == "assistant"), None)
    return newest is None or newest["content"][0]["type"] not in ("thinking", "redacted_thinking")


def _fit(call_id: str, taken: set[str]) -> str:
    """The id in the vendor's alphabet, and each only once: other models number their calls from the start."""
    plain = _STRANGE.sub("_", call_id) or "call"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name)
    return name


# ---------------------------------------------------------------- blocks
def _said(part: Part) -> Iterator[dict[str, Any]]:
    if part.opaque is not None:
        yield part.opaque
    elif isinstance(part, TextPart) and part.text.strip():
        yield _text(part.text)


def _asked(message: Message, provider_id: str) -> Iterator[dict[str, Any]]:
    for part in message.parts:
        if isinstance(part, TextPart) and part.text.strip():
            yield _text(part.text)
        elif isinstance(part, MediaPart):
            yield _media(part, provider_id)


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _call(part: ToolCallPart, call_id: str) -> dict[str, Any]:
    block = part.opaque or {"type": "tool_use", "name": part.name, "input": _object(part.arguments)}
    return {**block, "id": call_id}


def _result(part: ToolResultPart, call_id: str) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": call_id}
    if part.is_error:
        # The vendor takes no failure without words.
        return {**block, "content": part.content or "The tool failed.", "is_error": True}
    return {**block, "content": part.content}


def _object(arguments: str) -> dict[str, Any]:
    """Another model's arguments; what is no object is kept under a name of its own."""
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        value = arguments
    return value if isinstance(value, dict) else {"arguments": value}


def _media(part: MediaPart, provider_id: str) -> dict[str, Any]:
    source = {"type": "base64", "media_type": part.media_type, "data": wire.base64_of(part)}
    if part.media_type in _IMAGES:
        return {"type": "image", "source": source}
    if part.media_type == "application/pdf":
        return {"type": "document", "source": source, **({"title": part.filename} if part.filename else {})}
    return _text(wire.as_text(part, provider_id))
