"""Mistral's wire: words as a string, thoughts as a list of chunks with a signature, calls whole, usage at the end."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from providers.sandbox.answers import Answer, Call, joined
from providers.sandbox.asks import JSON, Ask
from providers.sandbox.seals import seal
from providers.sandbox.wires import Frame, Problem, Where, encoded, mistral_errors, mistral_input, openai_errors

_FINISH = {"refusal": "stop"}


class MistralWire:
    provider = "mistral"

    def key(self, headers: dict[str, str]) -> str:
        return openai_errors.bearer(headers)

    def problem(self, fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
        return mistral_errors.problem(fault, model=model, seconds=seconds)

    def read(self, body: Any, where: Where) -> Ask:
        return mistral_input.read(body)

    def tell(self, ask: Ask, answer: Answer, body: JSON) -> "MistralTelling":
        return MistralTelling(ask, answer)


class MistralTelling:
    def __init__(self, ask: Ask, answer: Answer) -> None:
        self.ask = ask
        self.answer = answer
        self.response_id = uuid.uuid4().hex
        self.created = int(time.time())
        self.finish = _FINISH.get(answer.finish, answer.finish)

    def frames(self) -> Iterator[Frame]:
        yield self._chunk({"role": "assistant", "content": ""})
        for piece in self.answer.reasoning:
            yield self._chunk({"content": [_thinks(piece)]}, delta=True)
        if self.answer.reasoning:
            yield self._chunk({"content": [self._sealed()]})
        for piece in self.answer.text:
            yield self._chunk({"content": piece}, delta=True)
        if self.answer.finish == "blocked":
            # There is no finish reason for it: a guardrail fails the stream.
            yield Frame(self.failure("blocked"), terminal=True)
            return
        for index, call in enumerate(self.answer.calls):
            yield self._chunk({"content": "", "tool_calls": [_call(call) | {"index": index}]}, delta=True)
        last = self._head("chat.completion.chunk") | {"choices": [_choice({"content": ""}, self.finish)]}
        yield Frame(_event(last | {"usage": self._usage()}), terminal=True)
        yield Frame(b"data: [DONE]\n\n", terminal=True)

    def whole(self) -> JSON:
        text = joined(self.answer.text)
        content: str | list[JSON] = text
        if self.answer.reasoning:
            thought = _thinks(joined(self.answer.reasoning)) | self._sealed(thinking=False)
            content = [thought, {"type": "text", "text": text}]
        message: JSON = {"role": "assistant", "content": content, "tool_calls": None}
        if self.answer.calls:
            message["tool_calls"] = [_call(call) for call in self.answer.calls]
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        return self._head("chat.completion") | {"choices": [choice], "usage": self._usage()}

    def failure(self, fault: str) -> bytes:
        return _event(mistral_errors.in_stream(fault, self.ask.model))

    def novelty(self) -> bytes:
        new = {"type": "sandbox_novelty", "note": "nobody knows this"}
        return self._chunk({"content": [new]}).data

    def _sealed(self, *, thinking: bool = True) -> JSON:
        signature = seal(self.ask.model, joined(self.answer.reasoning))
        end = {"type": "thinking", "signature": signature, "closed": True}
        return end | ({"thinking": []} if thinking else {})

    def _chunk(self, says: JSON, *, delta: bool = False) -> Frame:
        return Frame(_event(self._head("chat.completion.chunk") | {"choices": [_choice(says, None)]}), delta)

    def _head(self, kind: str) -> JSON:
        return {"id": self.response_id, "object": kind, "created": self.created, "model": self.ask.model}

    def _usage(self) -> JSON:
        """Thoughts are completion tokens like any other; nothing tells them apart."""
        spent, made = self.ask.input_tokens, self.answer.output_tokens
        cached = {"prompt_tokens_details": {"cached_tokens": self.ask.cached_tokens}}
        return {"prompt_tokens": spent, "total_tokens": spent + made, "completion_tokens": made, **cached}


def _thinks(words: str) -> JSON:
    return {"type": "thinking", "thinking": [{"type": "text", "text": words}]}


def _call(call: Call) -> JSON:
    """The vendor's ids are nine letters and digits."""
    return {"id": call.call_id[-9:], "function": {"name": call.name, "arguments": call.arguments}}


def _choice(delta: JSON, finish: str | None) -> JSON:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _event(data: JSON) -> bytes:
    return f"data: {encoded(data)}\n\n".encode()
