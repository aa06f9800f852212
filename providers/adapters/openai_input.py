"""Writes a request as OpenAI's Responses API takes it; no SDK, no socket."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from providers import replay, wire
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

# These answer 400 to reasoning parameters; every later family takes them.
_NEVER_REASON = ("gpt-3", "gpt-4", "chatgpt-4", "ft:gpt-3", "ft:gpt-4")
# These reason without being asked, and show a summary of it only when asked.
_REASONS = re.compile(r"(o[1-9]|gpt-([5-9]|\d\d)|gpt-sandbox-reasoning)(?!.*-chat)")


def body(request: GenerateRequest, provider_id: str) -> dict[str, Any]:
    """The JSON of one streamed, unstored response."""
    written: dict[str, Any] = {
        "model": request.model_id,
        "input": list(_items(request, (provider_id, request.model_id))),
        "stream": True,
        "store": False,
    }
    if not request.model_id.startswith(_NEVER_REASON):
        # Nothing is stored there, so the reasoning has to travel with us.
        written["include"] = ["reasoning.encrypted_content"]
    optional = {
        "instructions": request.system or None,
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "safety_identifier": request.end_user,
        "reasoning": _reasoning(request),
        "text": _format(request),
        **_tools(request),
    }
    return written | {name: value for name, value in optional.items() if value is not None}


def _reasoning(request: GenerateRequest) -> dict[str, str] | None:
    effort = request.reasoning_effort
    if effort is None:
        return {"summary": "auto"} if _REASONS.match(request.model_id) else None
    return {"effort": effort} if effort == "none" else {"effort": effort, "summary": "auto"}


def without_summary(body: dict[str, Any]) -> dict[str, Any]:
    """The same request for an organisation that may use the model and not read its reasoning."""
    effort = {name: value for name, value in body["reasoning"].items() if name != "summary"}
    rest = {name: value for name, value in body.items() if name != "reasoning"}
    return rest | ({"reasoning": effort} if effort else {})


def _format(request: GenerateRequest) -> dict[str, Any] | None:
    if request.response_schema is None:
        return None
    name, schema = request.response_schema
    return {"format": {"type": "json_schema", "name": name, "schema": schema, "strict": wire.strict(schema)}}


def _tools(request: GenerateRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    tools = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": wire.strict(tool.parameters),
        }
        for tool in request.tools
    ]
    word = request.tool_choice in ("auto", "none", "required")
    return {
        "tools": tools,
        "tool_choice": request.tool_choice if word else {"type": "function", "name": request.tool_choice},
    }


def _items(request: GenerateRequest, origin: Origin) -> Iterator[dict[str, Any]]:
    for message in replay.replayable(request.messages, origin):
        if message.role == "assistant":
            yield from (item for part in message.parts for item in _answered(part))
        else:
            yield from _asked(message, origin[0])


def _answered(part: Part) -> Iterable[dict[str, Any]]:
    if part.opaque is not None:
        return (part.opaque,)
    if isinstance(part, TextPart):
        return ({"role": "assistant", "content": part.text},) if part.text else ()
    if isinstance(part, ToolCallPart):
        return (
            {"type": "function_call", "call_id": part.call_id, "name": part.name, "arguments": part.arguments or "{}"},
        )
    return ()


def _asked(message: Message, provider_id: str) -> Iterator[dict[str, Any]]:
    """Results first: they answer the calls right before this message."""
    content: list[dict[str, Any]] = []
    for part in message.parts:
        if isinstance(part, ToolResultPart):
            yield {"type": "function_call_output", "call_id": part.call_id, "output": part.content}
        elif isinstance(part, TextPart):
            content.append({"type": "input_text", "text": part.text})
        elif isinstance(part, MediaPart):
            content.append(_media(part, provider_id))
    if content:
        yield {"role": "user", "content": content}


def _media(part: MediaPart, provider_id: str) -> dict[str, Any]:
    if part.media_type.startswith("image/"):
        return {"type": "input_image", "image_url": wire.data_url(part), "detail": "auto"}
    if part.media_type == "application/pdf":
        return {"type": "input_file", "filename": part.filename or "document.pdf", "file_data": wire.data_url(part)}
    return {"type": "input_text", "text": wire.as_text(part, provider_id)}
