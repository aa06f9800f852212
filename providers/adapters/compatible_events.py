"""Reads the chunks of a Chat Completions stream, as OpenAI and the servers that imitate it send them; no SDK."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import uuid4

import msgspec

from providers import wire
from providers.adapters import compatible_shapes as shapes
from providers.adapters import openai_faults
from providers.contract import Message, Origin, Part, ReasoningPart, TextPart, ToolCallPart
from providers.errors import ProviderError
from providers.events import (
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
    Usage,
    UsageUpdate,
)

_CHUNK = msgspec.json.Decoder(shapes.Chunk)
_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_BLOCKED,
}


@dataclass(slots=True)
class _Growing:
    """A part that deltas still add to; `kind` is `text`, `reasoning` or `call`."""

    index: int
    kind: str
    call_id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)


class ChatReader:
    """One answer. The first choice only; parts are numbered in the order in which they begin."""

    def __init__(self, origin: Origin, request_id: str | None = None) -> None:
        self._origin = origin
        self._request_id = request_id
        self._response_id: str | None = None
        self._parts: list[_Growing] = []
        self._calls: dict[int, _Growing] = {}
        self._usage: Usage | None = None
        self._native: str | None = None
        self._refused = False
        self._started = False
        self._over = False

    def read(self, data: bytes) -> Iterable[StreamEvent]:
        """Raises `ProviderError` for a failure the server reports, `ValueError` for what cannot be read."""
        if self._over:
            return ()
        if data == b"[DONE]":
            return self._finish()
        chunk = wire.decode(data, _CHUNK)
        if chunk.error:
            raise self._fault(chunk.error)
        if not chunk.choices and chunk.usage is None:
            told = wire.loose(data)
            return (NativeEvent(str(told.get("object") or told.get("type") or "unknown"), told),)
        return self._chunk(chunk)

    def end(self, stray: bytes) -> Iterable[StreamEvent]:
        """Some servers close without `[DONE]`; a finish reason is end enough."""
        if self._over:
            return ()
        if self._native is not None:
            return self._finish()
        if error := wire.loose(stray.removeprefix(b"error:")):
            raise self._fault(error.get("error") or error)
        return ()

    def _fault(self, body: object) -> ProviderError:
        return openai_faults.failure(self._origin.provider_id, body, request_id=self._request_id)

    def _chunk(self, chunk: shapes.Chunk) -> list[StreamEvent]:
        found: list[StreamEvent] = []
        if not self._started:
            self._started = True
            self._response_id = chunk.id
            found.append(Started(chunk.id, chunk.model, self._request_id))
        choice = next((choice for choice in chunk.choices or () if choice.index == 0), None)
        if choice is not None:
            if choice.delta is not None:
                self._delta(choice.delta, found)
            self._native = choice.finish_reason or self._native
        if chunk.usage is not None:
            self._usage = chunk.usage.counted()
            found.append(UsageUpdate(self._usage))
        return found

    # ------------------------------------------------------------ deltas
    def _delta(self, delta: shapes.Delta, found: list[StreamEvent]) -> None:
        if thought := delta.reasoning_content or delta.reasoning:
            part = self._open("reasoning")
            part.pieces.append(thought)
            found.append(ReasoningDelta(part.index, thought, "full"))
        if words := shapes.words(delta.content) or delta.refusal:
            self._refused = self._refused or bool(delta.refusal)
            part = self._open("text")
            part.pieces.append(words)
            found.append(TextDelta(part.index, words))
        for position, call in enumerate(delta.tool_calls or ()):
            self._call(call, position, found)

    def _open(self, kind: str) -> _Growing:
        """The part that goes on, or a new one when another kind came between."""
        if not self._parts or self._parts[-1].kind != kind:
            self._parts.append(_Growing(len(self._parts), kind))
        return self._parts[-1]

    def _call(self, call: shapes.Call, position: int, found: list[StreamEvent]) -> None:
        """A fragment of a call. Servers that send calls whole may give all of them the same index."""
        index = position if call.index is None else call.index
        part = self._calls.get(index)
        function = call.function or shapes.Function()
        if part is None or (function.name and call.id and call.id != part.call_id):
            call_id = call.id or f"call_{uuid4().hex[:24]}"
            part = _Growing(len(self._parts), "call", call_id, function.name or "")
            self._parts.append(part)
            self._calls[index] = part
            found.append(ToolCallStarted(part.index, part.call_id, part.name))
        fragment = "" if function.arguments is None else wire.dumped(function.arguments)
        if fragment:
            part.pieces.append(fragment)
            found.append(ToolArgsDelta(part.index, part.call_id, fragment))

    # ------------------------------------------------------------ the end
    def _finish(self) -> Iterable[StreamEvent]:
        if self._native is None:
            return ()
        self._over = True
        parts = tuple(self._part(part) for part in self._parts)
        finished = Finished(
            reason=self._reason(),
            message=Message("assistant", parts),
            native_reason=self._native,
            usage=self._usage,
            response_id=self._response_id,
            request_id=self._request_id,
        )
        return (*(PartDone(part) for part in parts), finished)

    def _part(self, part: _Growing) -> Part:
        """No part is opaque here: this wire has no item that a server wants back as it was."""
        text = wire.mended("".join(part.pieces))
        if part.kind == "text":
            return TextPart(text=text, origin=self._origin)
        if part.kind == "reasoning":
            return ReasoningPart(text=text, kind="full", origin=self._origin)
        return ToolCallPart(call_id=part.call_id, name=part.name, arguments=text or "{}", origin=self._origin)

    def _reason(self) -> FinishReason:
        reason = _REASONS.get(self._native or "", FinishReason.OTHER)
        if reason is FinishReason.STOP and self._calls:
            return FinishReason.TOOL_CALLS
        return FinishReason.REFUSAL if reason is FinishReason.STOP and self._refused else reason
