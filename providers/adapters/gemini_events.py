"""Reads the chunks of Gemini's generateContent stream; no SDK, no socket."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import msgspec

from providers import faults, wire
from providers.adapters import gemini_faults
from providers.adapters import gemini_shapes as shapes
from providers.adapters.gemini_sources import sources
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
_BLOCKED = (
    "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII MODEL_ARMOR "
    "IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION"
)
_REASONS = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.PAUSED,
    **dict.fromkeys(_BLOCKED.split(), FinishReason.CONTENT_BLOCKED),
}


class GeminiReader:
    """One answer of the first candidate.

    Text arrives in many parts; those without a signature are joined, one with a signature stays a part of its own,
    because it has to go back on the very part it came on.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._response_id: str | None = None
        self._started = False
        self._parts: list[Part] = []
        self._kind = ""
        self._pieces: list[str] = []
        self._cited: set[str] = set()
        self._usage: Usage | None = None
        self._native: str | None = None

    def read(self, data: bytes) -> Iterable[StreamEvent]:
        """Raises `ProviderError` for a failure the vendor reports, `ValueError` for what cannot be read."""
        if data == b"[DONE]":
            # Gateways end this stream as if it were OpenAI's.
            return ()
        chunk = wire.decode(data, _CHUNK)
        if chunk.error is not None:
            raise self._fault(chunk.error)
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            raise self._blocked(chunk)
        if chunk.candidates is None and chunk.usage_metadata is None:
            return (NativeEvent("unknown", wire.loose(data)),)
        return self._chunk(chunk)

    def end(self, stray: bytes) -> Iterable[StreamEvent]:
        """Only here is it over: usage may come after the finish reason, and errors come outside of any event."""
        if self._native is None:
            told = wire.loose(stray.strip().removeprefix(b"[").removesuffix(b"]"))
            if error := told.get("error"):
                raise self._fault(error)
            return ()
        found: list[StreamEvent] = []
        self._close(found)
        finished = Finished(
            reason=self._reason(),
            message=Message("assistant", tuple(self._parts)),
            native_reason=self._native,
            usage=self._usage,
            response_id=self._response_id,
        )
        return (*found, finished)

    def _fault(self, error: object) -> ProviderError:
        provider_id = self._origin.provider_id
        return gemini_faults.failure(error, status=None, provider_id=provider_id, request_id=self._response_id)

    def _blocked(self, chunk: shapes.Chunk) -> ProviderError:
        code = ErrorCode.CONTENT_BLOCKED
        reason = chunk.prompt_feedback.block_reason if chunk.prompt_feedback else None
        return ProviderError(
            code,
            faults.WORDS[code],
            provider_id=self._origin.provider_id,
            detail=(reason or "").lower()[:40] or None,
            request_id=chunk.response_id,
        )

    def _reason(self) -> FinishReason:
        reason = _REASONS.get(self._native or "", FinishReason.OTHER)
        if reason is FinishReason.STOP and any(isinstance(part, ToolCallPart) for part in self._parts):
            return FinishReason.TOOL_CALLS
        return reason

    def _chunk(self, chunk: shapes.Chunk) -> list[StreamEvent]:
        found: list[StreamEvent] = []
        if not self._started:
            self._started = True
            self._response_id = chunk.response_id
            found.append(Started(chunk.response_id, chunk.model_version))
        candidate = next((candidate for candidate in chunk.candidates or () if candidate.index == 0), None)
        if candidate is not None:
            for raw in (candidate.content and candidate.content.parts) or ():
                self._part(raw, found)
            self._cite(candidate, found)
            self._native = candidate.finish_reason or self._native
        if chunk.usage_metadata is not None and (usage := chunk.usage_metadata.counted()) != self._usage:
            self._usage = usage
            found.append(UsageUpdate(usage))
        return found

    # ------------------------------------------------------------ parts
    def _part(self, raw: dict[str, Any], found: list[StreamEvent]) -> None:
        text = raw.get("text")
        if isinstance(text, str):
            self._text(text, raw, found)
        elif isinstance(call := raw.get("functionCall"), dict):
            self._call(call, raw, found)
        else:
            self._close(found)
            kind = next((name for name in raw if name not in ("thought", "thoughtSignature")), "part")
            found.append(NativeEvent(kind, raw))
            self._add(Part(origin=self._origin, opaque=raw), found)

    def _text(self, text: str, raw: dict[str, Any], found: list[StreamEvent]) -> None:
        kind = "reasoning" if raw.get("thought") else "text"
        signed = bool(raw.get("thoughtSignature"))
        if signed or kind != self._kind:
            self._close(found)
        if text:
            index = len(self._parts)
            found.append(TextDelta(index, text) if kind == "text" else ReasoningDelta(index, text, "summary"))
        if signed:
            self._add(self._said(kind, wire.mended(text), raw), found)
        else:
            self._kind = kind
            self._pieces.append(text)

    def _call(self, call: dict[str, Any], raw: dict[str, Any], found: list[StreamEvent]) -> None:
        """Arrives whole. Not every model names its calls; then we do, and leave the vendor's part as it is."""
        self._close(found)
        call_id = str(call.get("id") or f"call_{uuid4().hex[:24]}")
        name = str(call.get("name") or "")
        arguments = json.dumps(call.get("args") or {}, ensure_ascii=False, separators=(",", ":"))
        index = len(self._parts)
        found += (ToolCallStarted(index, call_id, name), ToolArgsDelta(index, call_id, arguments))
        self._add(
            ToolCallPart(call_id=call_id, name=name, arguments=wire.mended(arguments), origin=self._origin, opaque=raw),
            found,
        )

    def _close(self, found: list[StreamEvent]) -> None:
        """End the text that was growing; it is replayed as plain text, so it has no opaque form."""
        if text := wire.mended("".join(self._pieces)):
            self._add(self._said(self._kind, text, None), found)
        self._kind, self._pieces = "", []

    def _said(self, kind: str, text: str, opaque: dict[str, Any] | None) -> Part:
        if kind == "text":
            return TextPart(text=text, origin=self._origin, opaque=opaque)
        return ReasoningPart(text=text, kind="summary", origin=self._origin, opaque=opaque)

    def _add(self, part: Part, found: list[StreamEvent]) -> None:
        self._parts.append(part)
        found.append(PartDone(part))

    # ------------------------------------------------------------ citations
    def _cite(self, candidate: shapes.Candidate, found: list[StreamEvent]) -> None:
        """Each source once: the vendor repeats what it said in earlier chunks."""
        if candidate.grounding_metadata is None and candidate.citation_metadata is None:
            return
        last = self._parts[-1] if self._parts else None
        text = "".join(self._pieces) or (last.text if isinstance(last, TextPart) else "")
        index = max(0, len(self._parts) - (0 if self._pieces else 1))
        for source in sources(candidate, text):
            key = repr(sorted(source.items()))
            if source and key not in self._cited:
                self._cited.add(key)
                found.append(CitationAdded(index, source))
