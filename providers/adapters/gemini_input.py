"""Writes a request as Gemini's generateContent takes it; no SDK, no socket."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
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

# The documented signature for a call that another model made; without one the vendor answers 400.
FOREIGN_SIGNATURE = b64encode(b"skip_thought_signature_validator").decode("ascii")

_THINKS = re.compile(r"gemini-(2\.5|[3-9]|\d\d|.*-latest|sandbox-pro)")
_BUDGETS = {"none": 0, "minimal": 512, "low": 2048, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
_LEVELS = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "XHIGH",
    "max": "XHIGH",
}
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


def body(request: GenerateRequest, provider_id: str) -> dict[str, Any]:
    """The JSON of one request; the model is in the address."""
    written: dict[str, Any] = {"contents": _contents(request, provider_id)}
    if request.system:
        written["systemInstruction"] = {"parts": [{"text": request.system}]}
    if config := _config(request):
        written["generationConfig"] = config
    return written | _tools(request)


def _config(request: GenerateRequest) -> dict[str, Any]:
    optional: dict[str, Any] = {
        "maxOutputTokens": request.max_output_tokens,
        "temperature": request.temperature,
        "thinkingConfig": _thinking(request),
    }
    if request.response_schema is not None:
        optional |= {"responseMimeType": "application/json", "responseJsonSchema": request.response_schema[1]}
    return {name: value for name, value in optional.items() if value is not None}


def _thinking(request: GenerateRequest) -> dict[str, Any] | None:
    """Thoughts are shown wherever the family has them; older models answer 400 to the very question."""
    if not _THINKS.match(request.model_id):
        return None
    effort = request.reasoning_effort
    if effort is None:
        return {"includeThoughts": True}
    shown = {"includeThoughts": effort != "none"}
    if request.model_id.startswith("gemini-2.5"):
        return {**shown, "thinkingBudget": _BUDGETS.get(effort, _BUDGETS["medium"])}
    return {**shown, "thinkingLevel": _LEVELS.get(effort, "MEDIUM")}


def _tools(request: GenerateRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    declared = [
        {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
        for tool in request.tools
    ]
    calling: dict[str, Any] = {"mode": _MODES.get(request.tool_choice, "ANY")}
    if request.tool_choice not in _MODES:
        calling["allowedFunctionNames"] = [request.tool_choice]
    return {"tools": [{"functionDeclarations": declared}], "toolConfig": {"functionCallingConfig": calling}}


def _contents(request: GenerateRequest, provider_id: str) -> list[dict[str, Any]]:
    """Neighbours of one role are joined: the results of parallel calls have to come together."""
    contents: list[dict[str, Any]] = []
    messages = list(replay.replayable(request.messages, (provider_id, request.model_id)))
    unnamed = _unnamed(messages)
    for message in messages:
        role = "model" if message.role == "assistant" else "user"
        parts = [part for each in message.parts for part in _written(each, unnamed, provider_id)]
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    return contents


def _unnamed(messages: Sequence[Message]) -> set[str]:
    """The ids that are ours: the vendor's own call carried none, so its result must not either."""
    return {
        part.call_id
        for message in messages
        for part in message.parts
        if isinstance(part, ToolCallPart) and _nameless(part.opaque)
    }


def _nameless(opaque: Any) -> bool:
    return isinstance(opaque, dict) and not opaque.get("functionCall", {}).get("id")


def _written(part: Part, unnamed: set[str], provider_id: str) -> Iterator[dict[str, Any]]:
    if part.opaque is not None:
        yield part.opaque
    elif isinstance(part, TextPart):
        if part.text:
            yield {"text": part.text}
    elif isinstance(part, ToolCallPart):
        call = {"id": part.call_id, "name": part.name, "args": _object(part.arguments)}
        yield {"functionCall": call, "thoughtSignature": FOREIGN_SIGNATURE}
    elif isinstance(part, ToolResultPart):
        answer = _answer(part)
        named = {} if part.call_id in unnamed else {"id": part.call_id}
        yield {"functionResponse": {**named, "name": part.name, "response": answer}}
    elif isinstance(part, MediaPart):
        yield _media(part, provider_id)


def _answer(part: ToolResultPart) -> dict[str, Any]:
    if part.is_error:
        return {"error": part.content}
    try:
        value = json.loads(part.content)
    except ValueError:
        value = part.content
    return value if isinstance(value, dict) else {"result": value}


def _object(arguments: str) -> dict[str, Any]:
    """Another model's arguments; what is no object is kept under a name of its own."""
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        value = arguments
    return value if isinstance(value, dict) else {"arguments": value}


def _media(part: MediaPart, provider_id: str) -> dict[str, Any]:
    if part.media_type.startswith("image/") or part.media_type == "application/pdf":
        return {"inlineData": {"mimeType": part.media_type, "data": wire.base64_of(part)}}
    return {"text": wire.as_text(part, provider_id)}
