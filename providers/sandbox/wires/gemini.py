"""Gemini's wire: every chunk a whole response, thoughts as marked parts, signatures on calls and last texts."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

from providers.sandbox.answers import Answer, joined
from providers.sandbox.asks import JSON, Ask
from providers.sandbox.seals import seal
from providers.sandbox.wires import Frame, Problem, Where, encoded, gemini_errors, gemini_input

_FINISH = {"length": "MAX_TOKENS", "blocked": "SAFETY", "refusal": "PROHIBITED_CONTENT"}
_RISKS = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}]


class GeminiWire:
    provider = "gemini"

    def key(self, headers: dict[str, str]) -> str:
        return headers.get("x-goog-api-key", "")

    def problem(self, fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
        return gemini_errors.problem(fault, model=model, seconds=seconds)

    def read(self, body: Any, where: Where) -> Ask:
        return gemini_input.read(body, where.model, stream=where.stream)

    def tell(self, ask: Ask, answer: Answer, body: JSON) -> "GeminiTelling":
        return GeminiTelling(ask, answer)


class GeminiTelling:
    def __init__(self, ask: Ask, answer: Answer) -> None:
        self.ask = ask
        self.answer = answer
        self.response_id = uuid.uuid4().hex[:22]
        self.thought = 0
        self.said = 0

    def frames(self) -> Iterator[Frame]:
        if self._blocked_at_once():
            yield Frame(_event(self._prompt_blocked()), terminal=True)
            return
        for piece in self.answer.reasoning:
            self.thought += 1
            if self.ask.show_reasoning:
                yield self._piece({"text": piece, "thought": True})
        for piece in self.answer.text:
            self.said += 1
            yield self._piece({"text": piece})
        for part in self._calls():
            yield self._piece(part)
        self.said = self.answer.output_tokens - self.answer.reasoning_tokens
        yield Frame(_event(self._chunk(self._closing(), finish=self._finish())), terminal=True)

    def whole(self) -> JSON:
        if self._blocked_at_once():
            return self._prompt_blocked()
        self.thought = self.answer.reasoning_tokens
        self.said = self.answer.output_tokens - self.thought
        parts: list[JSON] = []
        if self.ask.show_reasoning and self.answer.reasoning:
            parts.append({"text": joined(self.answer.reasoning), "thought": True})
        if self.answer.text:
            parts.append(self._sealed(joined(self.answer.text)))
        return self._chunk([*parts, *self._calls()], finish=self._finish())

    def failure(self, fault: str) -> bytes:
        return _event(gemini_errors.in_stream(fault, self.ask.model))

    def novelty(self) -> bytes:
        chunk = self._chunk([{"sandboxNovelty": {"note": "nobody knows this part"}}])
        return _event(chunk | {"sandboxNovelty": True})

    def _calls(self) -> Iterator[JSON]:
        """Calls arrive whole; the first of a step is signed."""
        for index, call in enumerate(self.answer.calls):
            part: JSON = {
                "functionCall": {"id": call.call_id[-12:], "name": call.name, "args": json.loads(call.arguments)}
            }
            if index == 0:
                part["thoughtSignature"] = seal(self.ask.model, gemini_input.signed(part))
            yield part

    def _closing(self) -> list[JSON]:
        """The last part of a stream: empty text, which carries the signature of what was thought."""
        return [self._sealed("")]

    def _sealed(self, text: str) -> JSON:
        """The last words of an answer that was thought about and calls nothing carry its signature."""
        part: JSON = {"text": text}
        if self.answer.reasoning and not self.answer.calls:
            part["thoughtSignature"] = seal(self.ask.model, gemini_input.signed(part))
        return part

    def _finish(self) -> str:
        return _FINISH.get(self.answer.finish, "STOP")

    def _blocked_at_once(self) -> bool:
        return self.answer.finish == "blocked" and not self.answer.text

    def _prompt_blocked(self) -> JSON:
        feedback = {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": _RISKS}
        spent = self.ask.input_tokens
        usage = {"promptTokenCount": spent, "totalTokenCount": spent}
        return {"promptFeedback": feedback, "usageMetadata": usage, "modelVersion": self.ask.model}

    def _piece(self, part: JSON) -> Frame:
        return Frame(_event(self._chunk([part])), delta=True)

    def _chunk(self, parts: list[JSON], *, finish: str | None = None) -> JSON:
        candidate: JSON = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        if self.answer.finish == "blocked" and finish:
            candidate["safetyRatings"] = _RISKS
        return {
            "candidates": [candidate],
            "usageMetadata": self._usage(),
            "modelVersion": self.ask.model,
            "responseId": self.response_id,
        }

    def _usage(self) -> JSON:
        """Counts so far: the prompt includes what was cached, the candidates leave out what was thought."""
        spent = self.ask.input_tokens
        usage = {"promptTokenCount": spent, "totalTokenCount": spent + self.said + self.thought}
        optional = {
            "candidatesTokenCount": self.said,
            "thoughtsTokenCount": self.thought,
            "cachedContentTokenCount": self.ask.cached_tokens,
        }
        return usage | {name: count for name, count in optional.items() if count}


def _event(data: JSON) -> bytes:
    return f"data: {encoded(data)}\r\n\r\n".encode()
