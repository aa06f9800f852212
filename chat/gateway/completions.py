"""Chat Completions: from a client's messages to a question, and from events back to chunks."""

import time
from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct, field

from chat.gateway import shapes
from chat.gateway.shapes import Question, Thread, refused
from providers import events
from providers.contract import ReasoningPart, TextPart, ToolCallPart, ToolSpec
from providers.events import FinishReason

# What many clients send always, and what it is when it asks for nothing.
NEUTRAL = {"n": 1, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0, "logprobs": False, "store": False}
REASONS = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.CONTEXT_FULL: "length",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.CONTENT_BLOCKED: "content_filter",
    FinishReason.REFUSAL: "content_filter",
}


class Named(Struct):
    name: str
    arguments: str = "{}"


class Call(Struct):
    id: str
    function: Named


class Picture(Struct):
    url: str


class Attached(Struct):
    file_data: str = ""
    filename: str = ""


class Piece(Struct):
    type: str
    text: str = ""
    refusal: str = ""
    image_url: Picture | None = None
    file: Attached | None = None


class Said(Struct):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Piece] | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str = ""


class Function(Struct):
    name: str
    description: str | None = ""
    parameters: dict[str, Any] | None = None


class Tool(Struct):
    function: Function
    type: Literal["function"] = "function"


class Schema(Struct):
    name: str = "answer"
    schema: dict[str, Any] = field(default_factory=dict)


class Format(Struct):
    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: Schema | None = None


class StreamOptions(Struct):
    include_usage: bool = False


class Asked(Struct):
    """The body of `POST /v1/chat/completions`, as far as it means something here."""

    messages: list[Said]
    model: str = ""
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    tools: list[Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: Format | None = None
    reasoning_effort: str | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    n: int | None = 1
    user: str | None = None


def asked(body: bytes) -> tuple[Asked, Question]:
    """Raises Problem 400."""
    found, ignored = shapes.decoded(body, Asked, NEUTRAL)
    if len(found.messages) > shapes.MOST_MESSAGES:
        raise refused("messages", f"At most {shapes.MOST_MESSAGES:,} messages.")
    if found.n not in {None, 1}:
        raise refused("n", "One answer a request.")
    thread = Thread()
    for number, said in enumerate(found.messages):
        _told(thread, said, f"messages.{number}")
    specs = shapes.tools_of([_spec(tool.function) for tool in found.tools or ()])
    shape = found.response_format.json_schema if found.response_format else None
    most = found.max_tokens if found.max_completion_tokens is None else found.max_completion_tokens
    return found, Question(
        model=found.model,
        messages=thread.messages(),
        system=shapes.system_of(thread, found.response_format.type if found.response_format else ""),
        tools=specs,
        tool_choice=shapes.choice_of(found.tool_choice, specs),
        schema=(shape.name, shape.schema) if shape else None,
        reasoning_effort=shapes.effort_of(found.reasoning_effort),
        max_output_tokens=shapes.limit_of(most, "max_tokens"),
        temperature=found.temperature,
        ignored=ignored,
    )


def _spec(function: Function) -> ToolSpec:
    return ToolSpec(function.name, function.description or "", function.parameters or {"type": "object"})


def _told(thread: Thread, said: Said, param: str) -> None:
    pieces = said.content if isinstance(said.content, list) else [Piece("text", text=said.content or "")]
    words = "".join(piece.text or piece.refusal for piece in pieces)
    match said.role:
        case "system" | "developer":
            thread.system.append(words)
        case "tool":
            thread.result(said.tool_call_id, words, f"{param}.tool_call_id")
        case "assistant":
            calls = said.tool_calls or []
            for call in calls:
                thread.called(call.id, call.function.name)
            made = [
                ToolCallPart(call_id=one.id, name=one.function.name, arguments=one.function.arguments) for one in calls
            ]
            thread.add("assistant", *shapes.text(words), *made)
        case "user":
            thread.add(
                "user", *(_part(piece, f"{param}.content") for piece in pieces if piece.text or not _empty(piece))
            )


def _empty(piece: Piece) -> bool:
    return piece.type == "text" and not piece.text


def _part(piece: Piece, param: str) -> Any:
    match piece.type:
        case "text":
            return TextPart(text=piece.text)
        case "image_url" if piece.image_url:
            return shapes.picture(piece.image_url.url, param)
        case "file" if piece.file:
            return shapes.document(piece.file.file_data, piece.file.filename, param)
    raise refused(param, f"Content of the type {piece.type[:40]} is not taken here.")


class Chunks:
    """The chunks of one answer, in the order of its events. `model` is what serves it at that moment."""

    def __init__(self, run_id: str, *, usage: bool) -> None:
        self._head = {"id": f"chatcmpl-{run_id}", "object": "chat.completion.chunk", "created": int(time.time())}
        self._usage = usage
        self._calls: dict[str, int] = {}
        self._begun = False

    def of(self, event: events.StreamEvent, model: str) -> Iterator[dict[str, Any]]:
        delta = self._delta(event)
        if delta is not None:
            if not self._begun:
                self._begun = True
                delta = {"role": "assistant", **delta}
            yield self._chunk(model, [{"index": 0, "delta": delta, "finish_reason": None}])
        elif isinstance(event, events.Finished):
            end = {"index": 0, "delta": {}, "finish_reason": REASONS.get(event.reason, "stop")}
            yield self._chunk(model, [end])
            if self._usage:
                yield self._chunk(model, []) | {"usage": shapes.usage_of(event.usage, "prompt", "completion")}

    def _chunk(self, model: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {**self._head, "model": model, "choices": choices}

    def _delta(self, event: events.StreamEvent) -> dict[str, Any] | None:
        match event:
            case events.TextDelta(text=words):
                return {"content": words}
            case events.ReasoningDelta(text=words):
                return {"reasoning_content": words}
            case events.ToolCallStarted(call_id=call_id, name=name):
                index = self._calls.setdefault(call_id, len(self._calls))
                made = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
                return {"tool_calls": [made]}
            case events.ToolArgsDelta(call_id=call_id, fragment=fragment):
                return {"tool_calls": [{"index": self._calls[call_id], "function": {"arguments": fragment}}]}
        return None


def whole(run_id: str, finished: events.Finished, model: str) -> dict[str, Any]:
    """The answer of a request that does not stream."""
    parts = finished.message.parts
    thought = "".join(part.text for part in parts if isinstance(part, ReasoningPart))
    calls = [
        {"id": part.call_id, "type": "function", "function": {"name": part.name, "arguments": part.arguments}}
        for part in parts
        if isinstance(part, ToolCallPart)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": finished.message.text or (None if calls else "")}
    message |= {"tool_calls": calls} if calls else {}
    message |= {"reasoning_content": thought} if thought else {}
    choice = {"index": 0, "message": message, "finish_reason": REASONS.get(finished.reason, "stop"), "logprobs": None}
    head = {"id": f"chatcmpl-{run_id}", "object": "chat.completion", "created": int(time.time()), "model": model}
    return {**head, "choices": [choice], "usage": shapes.usage_of(finished.usage, "prompt", "completion")}
