"""Writes a request as Chat Completions servers take it; no SDK, no socket."""

from collections.abc import Iterator
from typing import Any

from providers import replay, wire
from providers.adapters import chat_input
from providers.contract import (
    GenerateRequest,
    MediaPart,
    Message,
    Origin,
    Part,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

LONGEST_ID = 40


def body(request: GenerateRequest, origin: Origin) -> dict[str, Any]:
    """The JSON of one streamed completion."""
    return {
        "model": request.model_id,
        "messages": list(_messages(request, origin)),
        "stream": True,
        "stream_options": {"include_usage": True},
        **chat_input.settings(request),
    }


def _messages(request: GenerateRequest, origin: Origin) -> Iterator[dict[str, Any]]:
    if request.system:
        yield {"role": "system", "content": request.system}
    for message in replay.replayable(request.messages, origin):
        if message.role == "assistant":
            yield from _answered(message)
        else:
            yield from _asked(message, origin.provider_id)


def _answered(message: Message) -> Iterator[dict[str, Any]]:
    text = "".join(part.text for part in message.parts if isinstance(part, TextPart))
    calls = [
        {
            "id": wire.short_id(part.call_id, LONGEST_ID),
            "type": "function",
            "function": {"name": part.name, "arguments": wire.arguments_text(part)},
        }
        for part in message.parts
        if isinstance(part, ToolCallPart)
    ]
    if calls:
        yield {"role": "assistant", "content": text or None, "tool_calls": calls}
    elif text:
        yield {"role": "assistant", "content": text}


def _asked(message: Message, provider_id: str) -> Iterator[dict[str, Any]]:
    """Results first, each a message of its own; words alone as a plain string, which every server takes."""
    rest: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolResultPart):
            call_id = wire.short_id(part.call_id, LONGEST_ID)
            yield {"role": "tool", "tool_call_id": call_id, "content": part.content}
        else:
            rest.append(part)
    if rest and all(isinstance(part, TextPart) for part in rest):
        yield {"role": "user", "content": "".join(part.text for part in rest if isinstance(part, TextPart))}
    elif rest:
        yield {"role": "user", "content": [_content(part, provider_id) for part in rest]}


def _content(part: Part, provider_id: str) -> dict[str, Any]:
    if isinstance(part, MediaPart):
        if part.media_type.startswith("image/"):
            return {"type": "image_url", "image_url": {"url": wire.data_url(part)}}
        return {"type": "text", "text": wire.as_text(part, provider_id)}
    return {"type": "text", "text": part.text if isinstance(part, TextPart) else ""}
