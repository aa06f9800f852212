"""Reads the chunks of a Chat Completions stream, as OpenAI, Mistral and the servers that imitate them send them."""

import abc
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import uuid4

import msgspec

from providers import wire
from providers.adapters import chat_shapes as shapes
from providers.adapters.chat_parts import Growing
from providers.citations import citation
from providers.contract import Message, Origin, ToolCallPart
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
    Usage,
    UsageUpdate,
)

_CHUNK = msgspec.json.Decoder(shapes.Chunk)
_NO_ID = (None, "", "null")


class ChunkReader(abc.ABC):
    """One answer. The first choice only; parts are numbered in the order in which they begin.

    A subclass has the vendor's finish reasons and reads its errors.
    """

    reasons: ClassVar[Mapping[str, FinishReason]]

    def __init__(self, origin: Origin, request_id: str | None = None) -> None:
        self._origin = origin
        self._request_id = request_id
        self._response_id: str | None = None
        self._parts: list[Growing] = []
        self._calls: dict[int, Growing] = {}
        self._usage: Usage | None = None
        self._native: str | None = None
        self._refused = False
        self._started = False
        self._over = False

    @abc.abstractmethod
    def fault(self, told: dict[str, Any], *, stray: bool) -> ProviderError | None:
        """The failure that an object without an answer speaks of; `stray` is one that came outside of any event."""

    def read(self, data: bytes) -> Iterable[StreamEvent]:
        """Raises `ProviderError` for a failure the server reports, `ValueError` for what cannot be read."""
        if self._over:
            return ()
        if data == b"[DONE]":
            return self._finish()
        chunk = wire.decode(data, _CHUNK)
        if not chunk.error and (chunk.choices or chunk.usage is not None):
            return self._chunk(chunk)
        told = wire.loose(data)
        if failure := self.fault(told, stray=False):
            raise failure
        return (NativeEvent(str(told.get("object") or told.get("type") or "unknown"), told),)

    def end(self, stray: bytes) -> Iterable[StreamEvent]:
        """Some servers close without `[DONE]`; a finish reason is end enough."""
        if self._over:
            return ()
        if self._native is not None:
            return self._finish()
        told = wire.loose(stray.removeprefix(b"error:"))
        if told and (failure := self.fault(told, stray=True)):
            raise failure
        return ()

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
            self._thought(self._open("reasoning"), thought, found)
        if isinstance(delta.content, list):
            for item in delta.content:
                self._item(item, found)
        elif delta.content:
            self._text(delta.content, found)
        if delta.refusal:
            self._refused = True
            self._text(delta.refusal, found)
        for position, call in enumerate(delta.tool_calls or ()):
            self._call(call, position, found)
        for note in delta.annotations or ():
            told = note.get("url_citation")
            self._cite(told if isinstance(told, dict) else {}, found)

    def _item(self, item: dict[str, Any], found: list[StreamEvent]) -> None:
        match item:
            case {"type": "text", "text": str(words)}:
                self._text(words, found)
            case {"type": "thinking", "thinking": str() | list() as thoughts}:
                self._think(thoughts, item, found)
            case {"type": "reference" | "tool_reference"}:
                self._cite(item, found)
            case _:
                self._add(Growing(len(self._parts), "item", native=item))
                found.append(NativeEvent(str(item.get("type") or "unknown"), item))

    def _text(self, words: str, found: list[StreamEvent]) -> None:
        if words:
            part = self._open("text")
            part.pieces.append(words)
            found.append(TextDelta(part.index, words))

    def _thought(self, part: Growing, words: str, found: list[StreamEvent]) -> None:
        part.pieces.append(words)
        if words:
            found.append(ReasoningDelta(part.index, words, "full"))

    def _think(self, thoughts: str | list[Any], item: dict[str, Any], found: list[StreamEvent]) -> None:
        """Many small chunks make one thought; the signature comes with the last."""
        part = self._open("reasoning")
        part.native |= {name: value for name, value in item.items() if name != "thinking"}
        for thought in [thoughts] if isinstance(thoughts, str) else thoughts:
            words = thought.get("text") if isinstance(thought, dict) else thought
            if isinstance(words, str):
                self._thought(part, words, found)
            elif isinstance(thought, dict):
                part.pieces.append(thought)
                self._cite(thought, found)

    def _cite(self, told: dict[str, Any], found: list[StreamEvent]) -> None:
        """A source on the web, or the names that the results of a tool gave their sources."""
        index = max(0, len(self._parts) - 1)
        where = {"start": told.get("start_index"), "end": told.get("end_index")}
        source = citation(title=told.get("title"), url=told.get("url"), **where)
        if "title" in source or "url" in source:
            found.append(CitationAdded(index, source))
        if isinstance(names := told.get("reference_ids"), list):
            found += [CitationAdded(index, citation(reference=str(name))) for name in names]

    def _open(self, kind: str) -> Growing:
        """The part that goes on, or a new one when another kind came between or it was closed."""
        last = self._parts[-1] if self._parts else None
        return last if last and last.kind == kind and not last.sealed else self._add(Growing(len(self._parts), kind))

    def _add(self, part: Growing) -> Growing:
        self._parts.append(part)
        return part

    def _call(self, call: shapes.Call, position: int, found: list[StreamEvent]) -> None:
        """A fragment of a call. Servers that send calls whole may give all of them the same index."""
        index = position if call.index is None else call.index
        part = self._calls.get(index)
        function = call.function or shapes.Function()
        told = "" if call.id in _NO_ID else call.id or ""
        if part is None or (told and function.name and told != part.call_id):
            call_id = told or f"call_{uuid4().hex[:24]}"
            part = self._calls[index] = self._add(Growing(len(self._parts), "call", call_id, function.name or ""))
            found.append(ToolCallStarted(part.index, part.call_id, part.name))
        if fragment := "" if function.arguments is None else wire.dumped(function.arguments):
            part.pieces.append(fragment)
            found.append(ToolArgsDelta(part.index, part.call_id, fragment))

    # ------------------------------------------------------------ the end
    def _finish(self) -> Iterable[StreamEvent]:
        if self._native is None:
            return ()
        self._over = True
        parts = tuple(part.whole(self._origin) for part in self._parts)
        reason = self.reasons.get(self._native, FinishReason.OTHER)
        if reason is FinishReason.STOP and any(isinstance(part, ToolCallPart) for part in parts):
            reason = FinishReason.TOOL_CALLS
        elif reason is FinishReason.STOP and self._refused:
            reason = FinishReason.REFUSAL
        finished = Finished(
            reason=reason,
            message=Message("assistant", parts),
            native_reason=self._native,
            usage=self._usage,
            response_id=self._response_id,
            request_id=self._request_id,
        )
        return (*(PartDone(part) for part in parts), finished)
