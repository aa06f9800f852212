"""Writes a request as Chat Completions servers take it; no SDK, no socket."""

from collections.abc import Iterator
from typing import Any

from providers import replay, wire
from providers.contract import (
    GenerateRequest,
    MediaPart,
    Message,
    Part,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)


def body(request: GenerateRequest, provider_id: str) -> dict[str, Any]:
    """The JSON of one streamed completion. Only widely understood fields: some servers refuse what they do not know."""
    written: dict[str, Any] = {
        "model": request.model_id,
        "messages": list(_messages(request, provider_id)),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    optional = {
        "max_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "reasoning_effort": request.reasoning_effort,
        "response_format": _format(request),
        **_tools(request),
    }
    return written | {name: value for name, value in optional.items() if value is not None}


def _format(request: GenerateRequest) -> dict[str, Any] | None:
    if request.response_schema is None:
        return None
    name, schema = request.response_schema
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": wire.strict(schema)}}


def _tools(request: GenerateRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    tools = [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in request.tools
    ]
    if request.tool_choice in ("auto", "none", "required"):
        return {"tools": tools, "tool_choice": request.tool_choice}
    return {"tools": tools, "tool_choice": {"type": "function", "function": {"name": request.tool_choice}}}


def _messages(request: GenerateRequest, provider_id: str) -> Iterator[dict[str, Any]]:
    if request.system:
        yield {"role": "system", "content": request.system}
    for message in replay.replayable(request.messages, (provider_id, request.model_id)):
        if message.role == "assistant":
            yield from _answered(message)
        else:
            yield from _asked(message, provider_id)


def _answered(message: Message) -> Iterator[dict[str, Any]]:
    text = "".join(part.text for part in message.parts if isinstance(part, TextPart))
    calls = [
        {
            "id": part.call_id,
            "type": "function",
            "function": {"name": part.name, "arguments": part.arguments or "{}"},
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
            yield {"role": "tool", "tool_call_id": part.call_id, "content": part.content}
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
