"""Reads the events of Anthropic's Messages stream; no SDK, no socket."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from providers import wire
from providers.adapters import anthropic_blocks, anthropic_faults
from providers.adapters import anthropic_shapes as shapes
from providers.contract import Message, Origin, Part
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
_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "pause_turn": FinishReason.PAUSED,
    "refusal": FinishReason.REFUSAL,
    "model_context_window_exceeded": FinishReason.CONTEXT_FULL,
}
_MODELLED = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})


class MessagesReader:
    """One answer. Blocks become parts in the order of their index; only `message_stop` says that it is whole."""

    def __init__(self, origin: Origin, request_id: str | None = None) -> None:
        self._origin = origin
        self._request_id = request_id
        self._response_id: str | None = None
        self._blocks: dict[int, anthropic_blocks.Block] = {}
        self._parts: dict[int, Part] = {}
        self._usage: shapes.Usage | None = None
        self._native: str | None = None
        self._over = False
        self._handlers: dict[str, Callable[[shapes.Event, bytes], Iterable[StreamEvent]]] = {
            "content_block_delta": self._delta,
            "content_block_start": self._begun,
            "content_block_stop": self._done,
            "message_start": self._started,
            "message_delta": self._ending,
            "message_stop": self._stopped,
            "ping": lambda event, data: (),
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
        return handler(event, data) if handler is not None else self._unknown(data)

    def end(self, stray: bytes) -> Iterable[StreamEvent]:
        if not self._over and (told := wire.loose(stray)).get("error"):
            raise self._fault(told)
        return ()

    def _unknown(self, data: bytes) -> Iterable[StreamEvent]:
        """An event we have no word for is kept; one we know but cannot read is not an answer."""
        told = wire.loose(data)
        kind = told.get("type")
        if kind == "error" or (kind is None and told.get("error")):
            raise self._fault(told)
        if not isinstance(kind, str) or kind in self._handlers:
            raise ValueError("an event without a known form")
        return (NativeEvent(kind, told),)

    def _fault(self, told: dict[str, Any]) -> ProviderError:
        return anthropic_faults.failure(self._origin.provider_id, told, request_id=self._request_id)

    # ------------------------------------------------------------ blocks
    def _begun(self, event: shapes.Event, data: bytes) -> Iterable[StreamEvent]:
        index = event.index
        block = self._blocks[index] = anthropic_blocks.Block(event.content_block or {})
        if block.kind == "tool_use":
            return (ToolCallStarted(index, block.call_id, block.name),)
        if block.kind not in _MODELLED:
            return (NativeEvent(block.kind or "content_block", block.raw),)
        if not block.opening:
            return ()
        block.pieces.append(block.opening)
        return (TextDelta(index, block.opening) if block.kind == "text" else ReasoningDelta(index, block.opening),)

    def _delta(self, event: shapes.Event, data: bytes) -> Iterable[StreamEvent]:
        index, delta, block = event.index, event.delta, self._blocks.get(event.index)
        if delta is None or block is None:
            raise ValueError("a delta of nothing")
        match delta.type:
            case "text_delta":
                block.pieces.append(delta.text)
                return (TextDelta(index, delta.text),)
            case "thinking_delta":
                block.pieces.append(delta.thinking)
                return (ReasoningDelta(index, delta.thinking),) if delta.thinking else ()
            case "input_json_delta":
                block.pieces.append(delta.partial_json)
                shown = block.kind == "tool_use" and delta.partial_json
                return (ToolArgsDelta(index, block.call_id, delta.partial_json),) if shown else ()
            case "signature_delta":
                block.signature += delta.signature
                return ()
            case "citations_delta" if delta.citation is not None:
                block.citations.append(delta.citation)
                return (CitationAdded(index, anthropic_blocks.source(delta.citation)),)
            case _:
                block.unread = True
                return (NativeEvent(delta.type or "content_block_delta", wire.loose(data)),)

    def _done(self, event: shapes.Event, data: bytes) -> Iterable[StreamEvent]:
        block = self._blocks.pop(event.index, None)
        part = block.part(self._origin) if block is not None else None
        if block is None or part is None:
            return ()
        self._parts[event.index] = part
        given = block.raw.get("input")
        if block.kind == "tool_use" and given and not block.pieces:
            # Some gateways send the whole input at once.
            return (ToolArgsDelta(event.index, block.call_id, wire.dumped(given)), PartDone(part))
        return (PartDone(part),)

    # ------------------------------------------------------------ the message
    def _started(self, event: shapes.Event, data: bytes) -> Iterable[StreamEvent]:
        head = event.message or shapes.Head()
        self._response_id = head.id
        return (Started(head.id, head.model, self._request_id), *self._counted(head.usage))

    def _counted(self, usage: shapes.Usage | None) -> Iterable[StreamEvent]:
        if usage is None:
            return ()
        self._usage = self._usage.followed_by(usage) if self._usage else usage
        return (UsageUpdate(self._usage.counted()),)

    def _ending(self, event: shapes.Event, data: bytes) -> Iterable[StreamEvent]:
        delta = event.delta or shapes.Delta()
        self._native = delta.stop_reason or self._native
        told = (NativeEvent("stop_details", delta.stop_details),) if delta.stop_details else ()
        return (*told, *self._counted(event.usage))

    def _stopped(self, event: shapes.Event, data: bytes) -> Iterable[StreamEvent]:
        late = [done for index in sorted(self._blocks) for done in self._done(shapes.Event(index=index), data)]
        self._over = True
        finished = Finished(
            reason=_REASONS.get(self._native or "", FinishReason.OTHER),
            message=Message("assistant", tuple(part for _, part in sorted(self._parts.items()))),
            native_reason=self._native,
            usage=self._usage.counted() if self._usage else None,
            response_id=self._response_id,
            request_id=self._request_id,
        )
        return (*late, finished)
