"""Responses: from a client's items to a question, and from events back to the events of a response."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct, field

from chat.gateway import shapes
from chat.gateway.shapes import Question, Thread, refused
from providers import events
from providers.contract import ReasoningPart, TextPart, ToolCallPart, ToolSpec
from providers.events import FinishReason

NEUTRAL = {"top_p": 1, "truncation": "disabled", "parallel_tool_calls": True, "store": False, "background": False}
CUT = {
    FinishReason.LENGTH: "max_output_tokens",
    FinishReason.CONTEXT_FULL: "max_output_tokens",
    FinishReason.CONTENT_BLOCKED: "content_filter",
}


class Piece(Struct):
    type: str
    text: str = ""
    refusal: str = ""
    image_url: str | None = None
    file_data: str | None = None
    filename: str = ""


class Item(Struct):
    type: str = "message"
    role: Literal["system", "developer", "user", "assistant"] = "user"
    content: str | list[Piece] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = "{}"
    output: str | list[Piece] = ""


class Tool(Struct):
    type: str
    name: str = ""
    description: str | None = ""
    parameters: dict[str, Any] | None = None


class Format(Struct):
    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str = "answer"
    schema: dict[str, Any] = field(default_factory=dict)


class Text(Struct):
    format: Format | None = None


class Reasoning(Struct):
    effort: str | None = None


class Asked(Struct):
    """The body of `POST /v1/responses`, as far as it means something here."""

    input: str | list[Item]
    model: str = ""
    instructions: str | None = ""
    stream: bool | None = False
    tools: list[Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: Text | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    previous_response_id: str | None = None
    user: str | None = None
    include: list[str] | None = None


def asked(body: bytes) -> tuple[Asked, Question]:
    """Raises Problem 400."""
    found, ignored = shapes.decoded(body, Asked, NEUTRAL)
    if found.previous_response_id:
        raise refused("previous_response_id", "Nothing is kept here between requests: send the whole input.")
    items = [Item(content=found.input)] if isinstance(found.input, str) else found.input
    if len(items) > shapes.MOST_MESSAGES:
        raise refused("input", f"At most {shapes.MOST_MESSAGES:,} items.")
    thread = Thread()
    thread.system += [found.instructions] if found.instructions else []
    for number, item in enumerate(items):
        _told(thread, item, f"input.{number}")
    specs = shapes.tools_of([_spec(tool) for tool in found.tools or ()])
    shape = found.text.format if found.text and found.text.format and found.text.format.schema else None
    return found, Question(
        model=found.model,
        messages=thread.messages(),
        system=shapes.system_of(thread, found.text.format.type if found.text and found.text.format else ""),
        tools=specs,
        tool_choice=shapes.choice_of(found.tool_choice, specs),
        schema=(shape.name, shape.schema) if shape else None,
        reasoning_effort=shapes.effort_of(found.reasoning.effort if found.reasoning else None),
        max_output_tokens=shapes.limit_of(found.max_output_tokens, "max_output_tokens"),
        temperature=found.temperature,
        ignored=ignored,
    )


def _spec(tool: Tool) -> ToolSpec:
    if tool.type != "function":
        raise refused("tools", f"Tools of the type {tool.type[:40]} are not run here, only functions of the client.")
    return ToolSpec(tool.name, tool.description or "", tool.parameters or {"type": "object"})


def _told(thread: Thread, item: Item, param: str) -> None:
    match item.type:
        case "function_call":
            thread.called(item.call_id, item.name)
            call = ToolCallPart(call_id=item.call_id, name=item.name, arguments=item.arguments)
            thread.add("assistant", call)
        case "function_call_output":
            thread.result(item.call_id, _words(item.output), f"{param}.call_id")
        case "reasoning":
            return  # sealed by whoever made it, and not to be opened here
        case "message" if item.role in {"system", "developer"}:
            thread.system.append(_words(item.content))
        case "message" if item.role == "assistant":
            thread.add("assistant", *shapes.text(_words(item.content)))
        case "message":
            pieces = item.content if isinstance(item.content, list) else [Piece("input_text", text=item.content or "")]
            thread.add("user", *(_part(piece, f"{param}.content") for piece in pieces if not _empty(piece)))
        case _:
            raise refused(param, f"Items of the type {item.type[:40]} are not taken here.")


def _words(content: str | list[Piece] | None) -> str:
    if isinstance(content, list):
        return "".join(piece.text or piece.refusal for piece in content)
    return content or ""


def _empty(piece: Piece) -> bool:
    return piece.type == "input_text" and not piece.text


def _part(piece: Piece, param: str) -> Any:
    match piece.type:
        case "input_text" | "text":
            return TextPart(text=piece.text)
        case "input_image" if piece.image_url:
            return shapes.picture(piece.image_url, param)
        case "input_file" if piece.file_data:
            return shapes.document(piece.file_data, piece.filename, param)
    raise refused(param, f"Content of the type {piece.type[:40]} is not taken here.")


class Told:
    """The events of one response. An item is opened by its first delta and closed by the next item's or the end."""

    def __init__(self, run_id: str, model: str) -> None:
        self._id, self._model, self._created = f"resp_{run_id}", model, int(time.time())
        self._items: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None
        self._sequence = 0

    def begin(self) -> Iterator[dict[str, Any]]:
        yield self._event("response.created", response=self.response("in_progress"))
        yield self._event("response.in_progress", response=self.response("in_progress"))

    def of(self, event: events.StreamEvent, model: str) -> Iterator[dict[str, Any]]:
        self._model = model
        match event:
            case events.TextDelta(text=words):
                yield from self._into("message")
                self._item["content"][0]["text"] += words
                yield self._delta("response.output_text.delta", delta=words, content_index=0, logprobs=[])
            case events.ReasoningDelta(text=words):
                yield from self._into("reasoning")
                self._item["summary"][0]["text"] += words
                yield self._delta("response.reasoning_summary_text.delta", delta=words, summary_index=0)
            case events.ToolCallStarted(call_id=call_id, name=name):
                yield from self._close()
                yield from self._add({"type": "function_call", "call_id": call_id, "name": name, "arguments": ""})
            case events.ToolArgsDelta(call_id=call_id, fragment=fragment):
                yield from self._arguments(call_id, fragment)
            case events.Finished():
                yield from self._close()
                status = "incomplete" if event.reason in CUT else "completed"
                yield self._event(f"response.{status}", response=self.response(status, event))

    def failed(self, error: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        told = {"code": error["code"], "message": error["message"]}
        yield self._event("response.failed", response=self.response("failed") | {"error": told})

    def response(self, status: str, finished: events.Finished | None = None) -> dict[str, Any]:
        cut = CUT.get(finished.reason) if finished else None
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "model": self._model,
            "status": status,
            "output": list(self._items),
            "error": None,
            "incomplete_details": {"reason": cut} if cut else None,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "store": False,
            "usage": shapes.usage_of(finished.usage if finished else None, "input", "output"),
        }

    @property
    def _item(self) -> dict[str, Any]:
        assert self._open is not None  # noqa: S101 - a delta has just opened it
        return self._open

    def _event(self, kind: str, **data: Any) -> dict[str, Any]:
        self._sequence += 1
        return {"type": kind, "sequence_number": self._sequence - 1, **data}

    def _delta(self, kind: str, **data: Any) -> dict[str, Any]:
        return self._event(kind, item_id=self._item["id"], output_index=self._items.index(self._item), **data)

    def _into(self, kind: str) -> Iterator[dict[str, Any]]:
        if self._open is not None and self._open["type"] == kind:
            return
        yield from self._close()
        if kind == "message":
            text = {"type": "output_text", "text": "", "annotations": []}
            yield from self._add({"type": "message", "role": "assistant", "content": []})
            self._item["content"].append(text)
            yield self._delta("response.content_part.added", content_index=0, part=dict(text))
        else:
            part = {"type": "summary_text", "text": ""}
            yield from self._add({"type": "reasoning", "summary": []})
            self._item["summary"].append(part)
            yield self._delta("response.reasoning_summary_part.added", summary_index=0, part=dict(part))

    def _add(self, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
        prefix = {"message": "msg", "reasoning": "rs", "function_call": "fc"}[item["type"]]
        self._open = {"id": f"{prefix}_{self._id[5:]}_{len(self._items)}", "status": "in_progress", **item}
        self._items.append(self._open)
        shown = {key: list(value) if isinstance(value, list) else value for key, value in self._open.items()}
        yield self._event("response.output_item.added", output_index=len(self._items) - 1, item=shown)

    def _arguments(self, call_id: str, fragment: str) -> Iterator[dict[str, Any]]:
        index, item = next((number, one) for number, one in enumerate(self._items) if one.get("call_id") == call_id)
        item["arguments"] += fragment
        kind = "response.function_call_arguments.delta"
        yield self._event(kind, item_id=item["id"], output_index=index, delta=fragment)

    def _close(self) -> Iterator[dict[str, Any]]:
        if self._open is None:
            return
        item = self._open
        item["status"] = "completed"
        match item["type"]:
            case "message":
                part = item["content"][0]
                yield self._delta("response.output_text.done", content_index=0, text=part["text"], logprobs=[])
                yield self._delta("response.content_part.done", content_index=0, part=part)
            case "reasoning":
                part = item["summary"][0]
                yield self._delta("response.reasoning_summary_text.done", summary_index=0, text=part["text"])
                yield self._delta("response.reasoning_summary_part.done", summary_index=0, part=part)
            case "function_call":
                kind = "response.function_call_arguments.done"
                yield self._delta(kind, arguments=item["arguments"], name=item["name"])
        yield self._event("response.output_item.done", output_index=self._items.index(item), item=dict(item))
        self._open = None


def whole(told: Told, finished: events.Finished, model: str) -> dict[str, Any]:
    """The answer of a request that does not stream."""
    for part in finished.message.parts:
        match part:
            case ReasoningPart(text=words) if words:
                list(told.of(events.ReasoningDelta(0, words), model))
            case TextPart(text=words) if words:
                list(told.of(events.TextDelta(0, words), model))
            case ToolCallPart(call_id=call_id, name=name, arguments=arguments):
                list(told.of(events.ToolCallStarted(0, call_id, name), model))
                list(told.of(events.ToolArgsDelta(0, call_id, arguments), model))
    *_, last = told.of(finished, model)
    answer: dict[str, Any] = last["response"]
    return answer
