"""Reads the events of OpenAI's Responses stream; no SDK, no socket."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from providers import wire
from providers.adapters import openai_faults
from providers.adapters import openai_shapes as shapes
from providers.citations import citation
from providers.contract import Message, Origin, Part, ReasoningPart, TextPart, ToolCallPart
from providers.errors import ProviderError
from providers.events import (
    CitationAdded,
    Finished,
    FinishReason,
    NativeEvent,
    PartDone,
    ReasoningDelta,
    Started,
    StreamEvent,
    TextDelta,
    ToolArgsDelta,
    ToolCallStarted,
    UsageUpdate,
)

_EVENT = msgspec.json.Decoder(shapes.Event)
_INCOMPLETE = {
    "max_output_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_BLOCKED,
    "max_messages": FinishReason.PAUSED,
    "steered": FinishReason.PAUSED,
}
# Said again elsewhere, or said about nothing we keep.
_REPEATED = frozenset(
    {
        "keepalive",
        "response.queued",
        "response.in_progress",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.done",
        "response.refusal.done",
        "response.function_call_arguments.done",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
    }
)


class ResponsesReader:
    """One answer. Items become parts with the item itself as their opaque form, in the order of `output_index`."""

    def __init__(self, origin: Origin, request_id: str | None = None) -> None:
        self._origin = origin
        self._request_id = request_id
        self._calls: dict[int, str] = {}
        self._said: set[int] = set()
        self._parts: dict[int, Part] = {}
        self._refused = False
        self._over = False
        self._handlers: dict[str, Callable[[shapes.Event], Iterable[StreamEvent]]] = {
            "response.output_text.delta": self._text,
            "response.refusal.delta": self._refusal,
            "response.reasoning_summary_text.delta": self._summary,
            "response.reasoning_text.delta": self._reasoning,
            "response.reasoning_summary_part.added": self._paragraph,
            "response.function_call_arguments.delta": self._arguments,
            "response.output_text.annotation.added": self._citation,
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "response.created": self._created,
            "response.completed": self._ended,
            "response.incomplete": self._ended,
            "response.failed": self._failed,
        }

    def read(self, data: bytes) -> Iterable[StreamEvent]:
        """Raises `ProviderError` for a failure the vendor reports, `ValueError` for what cannot be read."""
        if self._over or data == b"[DONE]":
            return ()
        try:
            event = wire.decode(data, _EVENT)
        except msgspec.ValidationError:
            return self._unknown(data)
        handler = self._handlers.get(event.type)
        if handler is not None:
            return handler(event)
        return () if event.type in _REPEATED else self._unknown(data)

    def end(self, stray: bytes) -> Iterable[StreamEvent]:
        if not self._over and isinstance(error := wire.loose(stray).get("error"), dict):
            raise self._fault(error)
        return ()

    def _unknown(self, data: bytes) -> Iterable[StreamEvent]:
        """An event we have no word for is kept; one we know but cannot read is not an answer."""
        told = wire.loose(data)
        kind = told.get("type")
        if kind in ("error", "response.error") or (kind is None and told.get("error")):
            raise self._fault(told.get("error") or told)
        if not isinstance(kind, str) or kind in self._handlers:
            raise ValueError("an event without a known form")
        return () if kind in _REPEATED else (NativeEvent(kind, told),)

    # ------------------------------------------------------------ deltas
    def _text(self, event: shapes.Event) -> Iterable[StreamEvent]:
        self._said.add(event.output_index)
        return (TextDelta(event.output_index, event.delta),)

    def _refusal(self, event: shapes.Event) -> Iterable[StreamEvent]:
        self._refused = True
        return self._text(event)

    def _summary(self, event: shapes.Event) -> Iterable[StreamEvent]:
        return (ReasoningDelta(event.output_index, event.delta, "summary"),)

    def _reasoning(self, event: shapes.Event) -> Iterable[StreamEvent]:
        return (ReasoningDelta(event.output_index, event.delta, "full"),)

    def _paragraph(self, event: shapes.Event) -> Iterable[StreamEvent]:
        return (ReasoningDelta(event.output_index, "\n\n", "summary"),) if event.summary_index else ()

    def _arguments(self, event: shapes.Event) -> Iterable[StreamEvent]:
        self._said.add(event.output_index)
        return (ToolArgsDelta(event.output_index, self._calls.get(event.output_index, ""), event.delta),)

    def _citation(self, event: shapes.Event) -> Iterable[StreamEvent]:
        """A page on the web, or a file by its name; what the vendor only numbers is no source for a person."""
        told = event.annotation or {}
        title = told.get("title") or told.get("filename")
        where = {"start": told.get("start_index"), "end": told.get("end_index")}
        source = citation(title=title, url=told.get("url"), cited_text=told.get("quote"), **where)
        return (CitationAdded(event.output_index, source),) if source else ()

    # ------------------------------------------------------------ items
    def _item_added(self, event: shapes.Event) -> Iterable[StreamEvent]:
        item = msgspec.convert(event.item or {}, shapes.Item)
        if item.type != "function_call" or event.output_index in self._calls:
            return ()
        self._calls[event.output_index] = item.call_id
        return (ToolCallStarted(event.output_index, item.call_id, item.name),)

    def _item_done(self, event: shapes.Event) -> Iterable[StreamEvent]:
        """The part, after whatever its deltas did not say: some servers send items whole."""
        index, raw = event.output_index, event.item or {}
        item = msgspec.convert(raw, shapes.Item)
        part = self._part(item, raw)
        missed: list[StreamEvent] = []
        if isinstance(part, ToolCallPart):
            missed += self._item_added(event)
            if index not in self._said and part.arguments:
                missed.append(ToolArgsDelta(index, part.call_id, part.arguments))
        elif isinstance(part, TextPart) and part.text and index not in self._said:
            missed.append(TextDelta(index, part.text))
        self._said.add(index)
        self._parts[index] = part
        return (*missed, PartDone(part))

    def _part(self, item: shapes.Item, raw: dict[str, Any]) -> Part:
        if item.type == "message":
            self._refused = self._refused or any(piece.type == "refusal" for piece in item.content or ())
            text = "".join(piece.text or piece.refusal or "" for piece in item.content or ())
            return TextPart(text=wire.mended(text), origin=self._origin, opaque=raw)
        if item.type == "function_call":
            arguments = wire.mended(item.arguments or "{}")
            return ToolCallPart(
                call_id=item.call_id, name=item.name, arguments=arguments, origin=self._origin, opaque=raw
            )
        if item.type == "reasoning":
            full = "".join(piece.text or "" for piece in item.content or ())
            summary = "\n\n".join(piece.text or "" for piece in item.summary or ())
            # Without its encrypted content the vendor would look the item up, and it stored none.
            opaque = raw if raw.get("encrypted_content") else None
            text = wire.mended(full or summary)
            return ReasoningPart(text=text, kind="full" if full else "summary", origin=self._origin, opaque=opaque)
        return Part(origin=self._origin, opaque=raw)

    # ------------------------------------------------------------ the response
    def _created(self, event: shapes.Event) -> Iterable[StreamEvent]:
        response = msgspec.convert(event.response or {}, shapes.Response)
        return (Started(response.id, response.model, self._request_id),)

    def _ended(self, event: shapes.Event) -> Iterable[StreamEvent]:
        response = msgspec.convert(event.response or {}, shapes.Response)
        late = self._never_sent(response)
        self._over = True
        native = (response.incomplete_details and response.incomplete_details.reason) or response.status
        parts = tuple(part for _, part in sorted(self._parts.items()))
        usage = response.counted()
        finished = Finished(
            reason=self._reason(event.type, native, parts),
            message=Message("assistant", parts),
            native_reason=native,
            usage=usage,
            response_id=response.id,
            request_id=self._request_id,
        )
        return (*late, *((UsageUpdate(usage),) if usage else ()), finished)

    def _never_sent(self, response: shapes.Response) -> list[StreamEvent]:
        """Items that only the last event names."""
        if self._parts:
            return []
        items = enumerate(response.output or ())
        return [
            event for index, item in items for event in self._item_done(shapes.Event(output_index=index, item=item))
        ]

    def _reason(self, kind: str, native: str | None, parts: tuple[Part, ...]) -> FinishReason:
        if kind == "response.incomplete":
            return _INCOMPLETE.get(native or "", FinishReason.OTHER)
        if any(isinstance(part, ToolCallPart) for part in parts):
            return FinishReason.TOOL_CALLS
        return FinishReason.REFUSAL if self._refused else FinishReason.STOP

    def _failed(self, event: shapes.Event) -> Iterable[StreamEvent]:
        raise self._fault((event.response or {}).get("error"))

    def _fault(self, body: object) -> ProviderError:
        return openai_faults.failure(self._origin.provider_id, body, request_id=self._request_id)
