"""Writes a conversation as Anthropic's Messages API takes it: turns of blocks, each result behind its call."""

from collections.abc import Iterator
from typing import Any

from providers import replay, wire
from providers.contract import (
    GenerateRequest,
    MediaPart,
    Origin,
    Part,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

NOTHING_SAID = "…"
GO_ON = "Continue."

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
# A message that ends with one of these is whole.
_FINAL = frozenset({"text", "thinking", "redacted_thinking"})


def turns_of(request: GenerateRequest, origin: Origin) -> list[dict[str, Any]]:
    """Neighbours of one role are joined, results come before all else, and a person has the last word.

    Raises `ProviderError` for media that the vendor cannot read.
    """
    turns: list[dict[str, Any]] = []
    cited = request.response_schema is None
    for message in replay.replayable(list(replay.without_old_thoughts(request.messages)), origin):
        blocks = [block for part in message.parts for block in _written(part, origin.provider_id, cited=cited)]
        _add(turns, "assistant" if message.role == "assistant" else "user", blocks)
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


def unopened(turns: list[dict[str, Any]]) -> bool:
    """Whether the newest message of the model is in a tool loop and does not begin with a thought."""
    if not turns or not any(block["type"] == "tool_result" for block in turns[-1]["content"]):
        return False
    newest = next((turn for turn in reversed(turns) if turn["role"] == "assistant"), None)
    return newest is None or newest["content"][0]["type"] not in ("thinking", "redacted_thinking")


# ---------------------------------------------------------------- blocks
def _written(part: Part, provider_id: str, *, cited: bool) -> Iterator[dict[str, Any]]:
    if part.opaque is not None:
        yield part.opaque
    elif isinstance(part, TextPart):
        if part.text.strip():
            yield _text(part.text)
    elif isinstance(part, ToolCallPart):
        yield {"type": "tool_use", "id": part.call_id, "name": part.name, "input": wire.arguments_of(part)}
    elif isinstance(part, ToolResultPart):
        yield _result(part)
    elif isinstance(part, MediaPart):
        yield _media(part, provider_id, cited=cited)


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _result(part: ToolResultPart) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": part.call_id}
    if part.is_error:
        # The vendor takes no failure without words.
        return {**block, "content": part.content or "The tool failed.", "is_error": True}
    return {**block, "content": part.content}


def _media(part: MediaPart, provider_id: str, *, cited: bool) -> dict[str, Any]:
    """An image, or a document that the answer shall cite; the vendor cites none in an answer that has to meet a
    schema. What is no PDF goes as its words, which are a document like any other."""
    if part.media_type in _IMAGES:
        return {"type": "image", "source": _base64(part)}
    if part.media_type == "application/pdf":
        source = _base64(part)
    else:
        words = wire.words_of(part, provider_id)
        source = {"type": "text", "media_type": "text/plain", "data": words if words.strip() else NOTHING_SAID}
    document = {"type": "document", "source": source, **({"title": part.filename} if part.filename else {})}
    return {**document, "citations": {"enabled": True}} if cited else document


def _base64(part: MediaPart) -> dict[str, Any]:
    return {"type": "base64", "media_type": part.media_type, "data": wire.base64_of(part)}
