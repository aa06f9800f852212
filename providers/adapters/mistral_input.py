"""Writes a request as Mistral's Chat Completions takes it, in the one order of messages it accepts; no SDK."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from providers import replay, wire
from providers.adapters import chat_input
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

type JSON = dict[str, Any]

# Between the results of tools and a person's next words the vendor wants an answer, even where there was none.
NO_ANSWER = "…"
GO_ON = "Continue."

_OWN_ID = re.compile(r"[a-zA-Z0-9]{9}")


def body(request: GenerateRequest, origin: Origin) -> JSON:
    """The JSON of one streamed completion."""
    return {
        "model": request.model_id,
        "messages": _messages(request, origin),
        "stream": True,
        **chat_input.settings(request),
    }


def own_id(call_id: str) -> str:
    """A call's id as the vendor takes it: nine letters and digits, the same ones for the same id every time."""
    return call_id if _OWN_ID.fullmatch(call_id) else hashlib.sha256(call_id.encode()).hexdigest()[:9]


# ---------------------------------------------------------------- messages
def _messages(request: GenerateRequest, origin: Origin) -> list[JSON]:
    """Neighbours of one role are joined, and a person has the last word."""
    written: list[JSON] = [{"role": "system", "content": request.system}] if request.system else []
    for message in _ordered(request, origin):
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


def _ordered(request: GenerateRequest, origin: Origin) -> Iterator[JSON]:
    for message in replay.replayable(request.messages, origin):
        if message.role == "assistant":
            yield from _answered(message)
            continue
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                head = {"role": "tool", "tool_call_id": own_id(part.call_id), "name": part.name}
                yield head | {"content": part.content}
        if content := list(_asked(message.parts, origin.provider_id)):
            yield {"role": "user", "content": content}


def _answered(message: Message) -> Iterator[JSON]:
    """Thoughts alone are no answer: the vendor wants words or calls."""
    content = [chunk for part in message.parts for chunk in _said(part)]
    calls = [_call(part) for part in message.parts if isinstance(part, ToolCallPart)]
    if calls:
        yield {"role": "assistant", "content": content, "tool_calls": calls}
    elif any(chunk.get("type") != "thinking" for chunk in content):
        yield {"role": "assistant", "content": content}


def _said(part: Part) -> Iterator[JSON]:
    if isinstance(part, TextPart):
        if part.text:
            yield _text(part.text)
    elif part.opaque is not None and (isinstance(part, ReasoningPart) or type(part) is Part):
        yield part.opaque


def _call(part: ToolCallPart) -> JSON:
    function = {"name": part.name, "arguments": wire.arguments_text(part)}
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
