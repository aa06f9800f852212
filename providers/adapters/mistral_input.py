"""Writes a request as Mistral's Chat Completions takes it, in the one order of messages it accepts; no SDK."""

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from providers import replay, wire
from providers.contract import (
    GenerateRequest,
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

type JSON = dict[str, Any]

# Between the results of tools and a person's next words the vendor wants an answer, even where there was none.
NO_ANSWER = "…"
GO_ON = "Continue."

_OWN_ID = re.compile(r"[a-zA-Z0-9]{9}")


def body(request: GenerateRequest, provider_id: str) -> JSON:
    """The JSON of one streamed completion."""
    optional = {
        "max_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "reasoning_effort": request.reasoning_effort,
        "response_format": _format(request),
        **_tools(request),
    }
    return {
        "model": request.model_id,
        "messages": _messages(request, provider_id),
        "stream": True,
        **{name: value for name, value in optional.items() if value is not None},
    }


def own_id(call_id: str) -> str:
    """A call's id as the vendor takes it: nine letters and digits, the same ones for the same id every time."""
    return call_id if _OWN_ID.fullmatch(call_id) else hashlib.sha256(call_id.encode()).hexdigest()[:9]


def _format(request: GenerateRequest) -> JSON | None:
    if request.response_schema is None:
        return None
    name, schema = request.response_schema
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": wire.strict(schema)}}


def _tools(request: GenerateRequest) -> JSON:
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


# ---------------------------------------------------------------- messages
def _messages(request: GenerateRequest, provider_id: str) -> list[JSON]:
    """Neighbours of one role are joined, results stand right behind their calls, and a person has the last word."""
    written: list[JSON] = [{"role": "system", "content": request.system}] if request.system else []
    for message in _ordered(request, provider_id):
        before = written[-1] if written else {"role": ""}
        if message["role"] == before["role"] != "tool":
            before["content"] += message["content"]
            before |= {name: message[name] for name in ("tool_calls",) if name in message}
            continue
        if (before["role"], message["role"]) == ("tool", "user"):
            written.append({"role": "assistant", "content": [_text(NO_ANSWER)]})
        written.append(message)
    if written and written[-1]["role"] == "assistant":
        written.append({"role": "user", "content": [_text(GO_ON)]})
    return [message | {"content": _plain(message["content"])} for message in written]


def _ordered(request: GenerateRequest, provider_id: str) -> Iterator[JSON]:
    messages = list(replay.replayable(request.messages, (provider_id, request.model_id)))
    results = _results(messages)
    for message in messages:
        if message.role == "assistant":
            yield from _answered(message, results)
        elif content := list(_asked(message.parts, provider_id)):
            yield {"role": "user", "content": content}


def _results(messages: Iterable[Message]) -> dict[str, deque[ToolResultPart]]:
    """In their order by call: some servers give the same id to a call of every answer."""
    found: dict[str, deque[ToolResultPart]] = defaultdict(deque)
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                found[part.call_id].append(part)
    return found


def _answered(message: Message, results: dict[str, deque[ToolResultPart]]) -> Iterator[JSON]:
    """An answer, with the results of its calls behind it. Thoughts alone are none: the vendor wants words or calls."""
    content = [chunk for part in message.parts for chunk in _said(part)]
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    pairs = [(call, results[call.call_id].popleft()) for call in calls if results[call.call_id]]
    if not pairs and all(chunk.get("type") == "thinking" for chunk in content):
        return
    yield {"role": "assistant", "content": content} | (
        {"tool_calls": [_call(call) for call, _ in pairs]} if pairs else {}
    )
    for call, result in pairs:
        head = {"role": "tool", "tool_call_id": own_id(call.call_id), "name": call.name}
        yield head | {"content": result.content}


def _said(part: Part) -> Iterator[JSON]:
    if isinstance(part, TextPart):
        if part.text:
            yield _text(part.text)
    elif part.opaque is not None and (isinstance(part, ReasoningPart) or type(part) is Part):
        yield part.opaque


def _call(part: ToolCallPart) -> JSON:
    function = {"name": part.name, "arguments": part.arguments or "{}"}
    return {"id": own_id(part.call_id), "type": "function", "function": function}


def _asked(parts: Iterable[Part], provider_id: str) -> Iterator[JSON]:
    for part in parts:
        if isinstance(part, MediaPart):
            yield _media(part, provider_id)
        elif isinstance(part, TextPart) and part.text:
            yield _text(part.text)


def _media(part: MediaPart, provider_id: str) -> JSON:
    if part.media_type.startswith("image/"):
        return {"type": "image_url", "image_url": wire.data_url(part)}
    if part.media_type == "application/pdf":
        named = {"document_name": part.filename} if part.filename else {}
        return {"type": "document_url", "document_url": wire.data_url(part), **named}
    return _text(wire.as_text(part, provider_id))


def _text(words: str) -> JSON:
    return {"type": "text", "text": words}


def _plain(content: str | list[JSON]) -> str | list[JSON]:
    """One text, or nothing, as the plain string that every model takes."""
    if isinstance(content, str):
        return content
    if not content:
        return ""
    return str(content[0]["text"]) if len(content) == 1 and content[0].get("type") == "text" else content
