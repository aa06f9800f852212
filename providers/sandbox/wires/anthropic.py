"""Anthropic's Messages wire: content in numbered blocks, thoughts with a signature, usage at both ends."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

from providers.sandbox.answers import Answer, Call, joined, pieces
from providers.sandbox.asks import JSON, Ask
from providers.sandbox.wires import (
    Frame,
    Problem,
    Where,
    anthropic_errors,
    anthropic_input,
    anthropic_thoughts,
    encoded,
)
from providers.sandbox.wires.openai_errors import bearer

_STOPS = {"length": "max_tokens", "blocked": "refusal", "refusal": "refusal", "tool_calls": "tool_use"}


class AnthropicWire:
    provider = "anthropic"

    def key(self, headers: dict[str, str]) -> str:
        """As a bearer token only: this version of the API has no header of its own for keys."""
        return bearer(headers)

    def problem(self, fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
        return anthropic_errors.problem(fault, model=model, seconds=seconds)

    def read(self, body: Any, where: Where) -> Ask:
        return anthropic_input.read(body)

    def tell(self, ask: Ask, answer: Answer, body: JSON) -> "AnthropicTelling":
        before = anthropic_thoughts.prefix(body.get("system"), anthropic_input.turns(body))
        return AnthropicTelling(ask, answer, before)


class AnthropicTelling:
    """`before` is the digest of the conversation, to which thoughts are bound."""

    def __init__(self, ask: Ask, answer: Answer, before: str) -> None:
        self.ask = ask
        self.answer = answer
        self.before = before
        self.message_id = f"msg_{uuid.uuid4().hex[:24]}"
        self.index = 0

    def frames(self) -> Iterator[Frame]:
        yield self._frame("message_start", message=self._message(None, []))
        yield self._frame("ping")
        if self.answer.reasoning:
            yield from self._thinking()
        if self.answer.text:
            yield from self._text()
        for call in self.answer.calls:
            yield from self._call(call)
        delta = {"stop_reason": self._stop(), "stop_sequence": None, "stop_details": self._details(), "container": None}
        yield self._frame("message_delta", delta=delta, usage=self._usage())
        yield Frame(_event("message_stop", {}), terminal=True)

    def whole(self) -> JSON:
        content: list[JSON] = []
        if self.answer.reasoning:
            thought = joined(self.answer.reasoning) if self.ask.show_reasoning else ""
            content.append({"type": "thinking", "thinking": thought, "signature": self._signature(thought)})
        if self.answer.text:
            content.append({"type": "text", "text": joined(self.answer.text), "citations": None})
        content += [{**_opening(call), "input": json.loads(call.arguments)} for call in self.answer.calls]
        return self._message(self._stop(), content)

    def failure(self, fault: str) -> bytes:
        return _event("error", anthropic_errors.in_stream(fault, self.ask.model))

    def novelty(self) -> bytes:
        return _event("sandbox_novelty", {"note": "nobody knows this event"})

    def _thinking(self) -> Iterator[Frame]:
        """A thought that is not shown still has its signature, without which no tool loop could go on."""
        yield self._begin({"type": "thinking", "thinking": "", "signature": ""})
        shown = self.answer.reasoning if self.ask.show_reasoning else ()
        for piece in shown:
            yield self._delta({"type": "thinking_delta", "thinking": piece}, piece=True)
        yield self._delta({"type": "signature_delta", "signature": self._signature(joined(shown))})
        yield self._finish()

    def _text(self) -> Iterator[Frame]:
        yield self._begin({"type": "text", "text": "", "citations": None})
        for piece in self.answer.text:
            yield self._delta({"type": "text_delta", "text": piece}, piece=True)
        yield self._finish()

    def _call(self, call: Call) -> Iterator[Frame]:
        yield self._begin(_opening(call))
        for piece in ("", *(() if call.arguments == "{}" else pieces(call.arguments))):
            yield self._delta({"type": "input_json_delta", "partial_json": piece}, piece=bool(piece))
        yield self._finish()

    def _begin(self, block: JSON) -> Frame:
        return self._frame("content_block_start", index=self.index, content_block=block)

    def _delta(self, delta: JSON, *, piece: bool = False) -> Frame:
        return Frame(_event("content_block_delta", {"index": self.index, "delta": delta}), delta=piece)

    def _finish(self) -> Frame:
        self.index += 1
        return self._frame("content_block_stop", index=self.index - 1)

    def _frame(self, kind: str, **data: Any) -> Frame:
        return Frame(_event(kind, data))

    def _signature(self, thought: str) -> str:
        return anthropic_thoughts.signature(self.ask.model, self.before, thought)

    def _stop(self) -> str:
        return _STOPS.get(self.answer.finish, "end_turn")

    def _details(self) -> JSON | None:
        if self._stop() != "refusal":
            return None
        return {"type": "refusal", "category": "general_harms", "explanation": "The sandbox was asked to refuse."}

    def _message(self, stop: str | None, content: list[JSON]) -> JSON:
        return {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.ask.model,
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "stop_details": self._details() if stop else None,
            "usage": self._usage() if stop else self._usage() | {"output_tokens": 1, "output_tokens_details": None},
        }

    def _usage(self) -> JSON:
        """What was read from the cache is counted beside the input, what was thought within the output."""
        cached = self.ask.cached_tokens
        return {
            "input_tokens": self.ask.input_tokens - cached,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": 0,
            "output_tokens": self.answer.output_tokens,
            "output_tokens_details": {"thinking_tokens": self.answer.reasoning_tokens},
        }


def _opening(call: Call) -> JSON:
    return {"type": "tool_use", "id": f"toolu_{call.call_id.removeprefix('call_')}", "name": call.name, "input": {}}


def _event(kind: str, data: JSON) -> bytes:
    return f"event: {kind}\ndata: {encoded({'type': kind, **data})}\n\n".encode()
