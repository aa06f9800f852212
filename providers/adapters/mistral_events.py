"""Reads the chunks of a Mistral stream, whose content is words or a list of thoughts, words and references; no SDK."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import uuid4

import msgspec

from providers import wire
from providers.adapters import mistral_faults
from providers.adapters import mistral_shapes as shapes
from providers.adapters.base import failed
from providers.contract import Message, Origin, Part, ReasoningPart, TextPart, ToolCallPart
from providers.errors import ErrorCode, ProviderError
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
    Usage,
    UsageUpdate,
)

_CHUNK = msgspec.json.Decoder(shapes.Chunk)
_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.CONTEXT_FULL,
    "tool_calls": FinishReason.TOOL_CALLS,
}
_NO_ID = (None, "", "null")


@dataclass(slots=True)
class _Growing:
    """A part that deltas still add to; `kind` is `text`, `reasoning`, `call` or `item`.

    `pieces` are words; among thoughts also chunks that are none. `native` is what else the vendor said of it.
    """

    index: int
    kind: str
    call_id: str = ""
    name: str = ""
    pieces: list[str | dict[str, Any]] = field(default_factory=list)
    native: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return wire.mended("".join(piece for piece in self.pieces if isinstance(piece, str)))

    @property
    def sealed(self) -> bool:
        return bool(self.native.get("signature") or self.native.get("closed"))


class MistralReader:
    """One answer. The first choice only; parts are numbered in the order in which they begin."""

    def __init__(self, origin: Origin, request_id: str | None = None) -> None:
        self._origin = origin
        self._request_id = request_id
        self._response_id: str | None = None
        self._parts: list[_Growing] = []
        self._calls: dict[int, _Growing] = {}
        self._usage: Usage | None = None
        self._native: str | None = None
        self._started = False
        self._over = False

    def read(self, data: bytes) -> Iterable[StreamEvent]:
        """Raises `ProviderError` for a failure the vendor reports, `ValueError` for what cannot be read."""
        if self._over:
            return ()
        if data == b"[DONE]":
            return self._finish()
        chunk = wire.decode(data, _CHUNK)
        if chunk.choices is None and chunk.usage is None:
            told = wire.loose(data)
            if mistral_faults.described(told):
                raise self._fault(told)
            return (NativeEvent(str(told.get("object") or "unknown"), told),)
        return self._chunk(chunk)

    def end(self, stray: bytes) -> Iterable[StreamEvent]:
        """A finish reason is end enough, also without `[DONE]`."""
        if self._over:
            return ()
        if self._native is not None:
            return self._finish()
        if mistral_faults.described(told := wire.loose(stray)):
            raise self._fault(told)
        return ()

    def _fault(self, body: object) -> ProviderError:
        return mistral_faults.failure(self._origin.provider_id, body, request_id=self._request_id)

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
        if isinstance(delta.content, str):
            self._text(delta.content, found)
        else:
            for item in delta.content or ():
                self._item(item, found)
        for position, call in enumerate(delta.tool_calls or ()):
            self._call(call, position, found)

    def _item(self, item: dict[str, Any], found: list[StreamEvent]) -> None:
        match item:
            case {"type": "text", "text": str(words)}:
                self._text(words, found)
            case {"type": "thinking", "thinking": str() | list() as thoughts}:
                self._think(thoughts, item, found)
            case {"type": "reference"}:
                found.append(CitationAdded(max(0, len(self._parts) - 1), item))
            case _:
                part = self._add(_Growing(len(self._parts), "item", native=item))
                found.append(NativeEvent(str(part.native.get("type") or "unknown"), item))

    def _text(self, words: str, found: list[StreamEvent]) -> None:
        if words:
            part = self._open("text")
            part.pieces.append(words)
            found.append(TextDelta(part.index, words))

    def _think(self, thoughts: str | list[Any], item: dict[str, Any], found: list[StreamEvent]) -> None:
        """Many small chunks make one thought; the signature comes with the last."""
        part = self._open("reasoning")
        part.native |= {name: value for name, value in item.items() if name != "thinking"}
        for thought in [thoughts] if isinstance(thoughts, str) else thoughts:
            words = thought.get("text") if isinstance(thought, dict) else thought
            if isinstance(words, str):
                part.pieces.append(words)
                if words:
                    found.append(ReasoningDelta(part.index, words, "full"))
            elif isinstance(thought, dict):
                part.pieces.append(thought)
                found.append(CitationAdded(part.index, thought))

    def _open(self, kind: str) -> _Growing:
        """The part that goes on, or a new one when another kind came between or it was closed."""
        last = self._parts[-1] if self._parts else None
        return last if last and last.kind == kind and not last.sealed else self._add(_Growing(len(self._parts), kind))

    def _add(self, part: _Growing) -> _Growing:
        self._parts.append(part)
        return part

    def _call(self, call: shapes.Call, position: int, found: list[StreamEvent]) -> None:
        """Calls mostly arrive whole; a fragment goes on with the call of its index and says no id, or "null"."""
        index = position if call.index is None else call.index
        part = self._calls.get(index)
        function = call.function or shapes.Function()
        told = "" if call.id in _NO_ID else call.id or ""
        if part is None or (told and told != part.call_id):
            part = self._add(_Growing(len(self._parts), "call", told or uuid4().hex[:9], function.name or ""))
            self._calls[index] = part
            found.append(ToolCallStarted(part.index, part.call_id, part.name))
        if fragment := "" if function.arguments is None else wire.dumped(function.arguments):
            part.pieces.append(fragment)
            found.append(ToolArgsDelta(part.index, part.call_id, fragment))

    # ------------------------------------------------------------ the end
    def _finish(self) -> Iterable[StreamEvent]:
        if self._native is None:
            return ()
        self._over = True
        if self._native == "error":
            raise failed(
                self._origin.provider_id,
                ErrorCode.PROVIDER_UNAVAILABLE,
                detail="finish_error",
                request_id=self._request_id,
            )
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
        match part.kind:
            case "text":
                return TextPart(text=part.text, origin=self._origin)
            case "reasoning":
                return ReasoningPart(text=part.text, kind="full", origin=self._origin, opaque=_thought(part))
            case "call":
                return ToolCallPart(
                    call_id=part.call_id, name=part.name, arguments=part.text or "{}", origin=self._origin
                )
            case _:
                return Part(origin=self._origin, opaque=part.native)

    def _reason(self) -> FinishReason:
        reason = _REASONS.get(self._native or "", FinishReason.OTHER)
        return FinishReason.TOOL_CALLS if reason is FinishReason.STOP and self._calls else reason


def _thought(part: _Growing) -> dict[str, Any]:
    """The vendor's own chunk, put together from its pieces."""
    thinking: list[Any] = []
    for words, pieces in groupby(part.pieces, key=lambda piece: isinstance(piece, str)):
        if words:
            thinking.append({"type": "text", "text": wire.mended("".join(str(piece) for piece in pieces))})
        else:
            thinking += pieces
    return part.native | {"thinking": thinking}
