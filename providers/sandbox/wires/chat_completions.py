"""The Chat Completions wire, as OpenAI speaks it and as compatible servers do (which show their reasoning)."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from providers.sandbox.answers import Answer, joined, pieces
from providers.sandbox.asks import JSON, Ask
from providers.sandbox.wires import Frame, Problem, Where, chat_input, encoded, openai_errors

_FINISH = {"blocked": "content_filter", "refusal": "stop"}


class ChatWire:
    def __init__(self, provider: str) -> None:
        self.provider = provider

    def key(self, headers: dict[str, str]) -> str:
        return openai_errors.bearer(headers)

    def problem(self, fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
        return openai_errors.problem(fault, model=model, seconds=seconds)

    def read(self, body: Any, where: Where) -> Ask:
        return chat_input.read(self.provider, body)

    def tell(self, ask: Ask, answer: Answer, body: JSON) -> "ChatTelling":
        return ChatTelling(ask, answer, body)


class ChatTelling:
    def __init__(self, ask: Ask, answer: Answer, body: JSON) -> None:
        self.ask = ask
        self.answer = answer
        self.response_id = f"chatcmpl-{uuid.uuid4().hex}"
        self.created = int(time.time())
        options = body.get("stream_options")
        self.with_usage = isinstance(options, dict) and options.get("include_usage") is True
        self.finish = _FINISH.get(answer.finish, answer.finish)

    def frames(self) -> Iterator[Frame]:
        yield self._chunk({"role": "assistant", "content": ""})
        for piece in self.answer.reasoning if self.ask.show_reasoning else ():
            yield self._chunk({"reasoning_content": piece}, delta=True)
        word = "refusal" if self.answer.finish == "refusal" else "content"
        for piece in self.answer.text:
            yield self._chunk({word: piece}, delta=True)
        for index, call in enumerate(self.answer.calls):
            head = {"index": index, "id": call.call_id, "type": "function"}
            yield self._chunk({"tool_calls": [head | {"function": {"name": call.name, "arguments": ""}}]})
            for piece in pieces(call.arguments):
                part = {"index": index, "function": {"arguments": piece}}
                yield self._chunk({"tool_calls": [part]}, delta=True)
        yield self._chunk({}, finish=self.finish)
        if self.with_usage:
            yield self._frame(self._head("chat.completion.chunk") | {"choices": [], "usage": self._usage()})
        yield Frame(b"data: [DONE]\n\n", terminal=True)

    def whole(self) -> JSON:
        text = joined(self.answer.text)
        refused = self.answer.finish == "refusal"
        message: JSON = {"role": "assistant", "content": None if refused else text or None}
        message["refusal"] = text if refused else None
        if self.ask.show_reasoning and self.answer.reasoning:
            message["reasoning_content"] = joined(self.answer.reasoning)
        if self.answer.calls:
            message["tool_calls"] = [
                {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self.answer.calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish}
        return self._head("chat.completion") | {"choices": [choice], "usage": self._usage()}

    def failure(self, fault: str) -> bytes:
        return self._frame({"error": openai_errors.in_stream(fault, self.ask.model)}).data

    def novelty(self) -> bytes:
        new = {"object": "chat.completion.novelty", "sandbox_novelty": "nobody knows this", "choices": []}
        return self._frame(self._head("") | new).data

    def _chunk(self, says: JSON, *, finish: str | None = None, delta: bool = False) -> Frame:
        choice = {"index": 0, "delta": says, "logprobs": None, "finish_reason": finish}
        usage: JSON = {"usage": None} if self.with_usage else {}
        chunk = self._head("chat.completion.chunk") | {"choices": [choice]} | usage
        return self._frame(chunk, delta=delta, terminal=finish is not None)

    def _frame(self, data: JSON, *, delta: bool = False, terminal: bool = False) -> Frame:
        return Frame(f"data: {encoded(data)}\n\n".encode(), delta, terminal)

    def _head(self, kind: str) -> JSON:
        return {"id": self.response_id, "object": kind, "created": self.created, "model": self.ask.model}

    def _usage(self) -> JSON:
        spent, made = self.ask.input_tokens, self.answer.output_tokens
        return {
            "prompt_tokens": spent,
            "completion_tokens": made,
            "total_tokens": spent + made,
            "prompt_tokens_details": {"cached_tokens": self.ask.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": self.answer.reasoning_tokens},
        }
