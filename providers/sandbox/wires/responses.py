"""OpenAI's Responses wire: typed, numbered events, reasoning as sealed items, usage in the terminal event."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from providers.sandbox.answers import Answer, Call, joined, pieces
from providers.sandbox.asks import JSON, Ask
from providers.sandbox.wires import (
    Frame,
    Problem,
    Where,
    encoded,
    openai_errors,
    responses_input,
    responses_items,
    responses_plan,
)

PROVIDER = "openai"
_ECHOED = (
    "instructions",
    "max_output_tokens",
    "metadata",
    "parallel_tool_calls",
    "store",
    "temperature",
    "text",
    "top_p",
)
_INCOMPLETE = {"length": "max_output_tokens", "blocked": "content_filter"}
# The codes that a failed response may carry; everything else is a server error there.
_FAILED = {"rate_limit": "rate_limit_exceeded", "quota": "rate_limit_exceeded", "blocked": "invalid_prompt"}


class ResponsesWire:
    provider = PROVIDER

    def key(self, headers: dict[str, str]) -> str:
        return openai_errors.bearer(headers)

    def problem(self, fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
        return openai_errors.problem(fault, model=model, seconds=seconds)

    def read(self, body: Any, where: Where) -> Ask:
        if where.plan:
            responses_plan.check(body)
        return responses_input.read(body, where.account)

    def tell(self, ask: Ask, answer: Answer, body: JSON) -> "ResponsesTelling":
        return ResponsesTelling(ask, answer, body)


class ResponsesTelling:
    def __init__(self, ask: Ask, answer: Answer, body: JSON) -> None:
        self.ask = ask
        self.answer = answer
        self.body = body
        self.response_id = f"resp_{uuid.uuid4().hex}"
        self.created = int(time.time())
        self.stem = responses_items.stem(reasoned=bool(answer.reasoning))
        self.sequence = -1
        self.output: list[JSON] = []
        options = body.get("stream_options")
        self.obfuscate = not (isinstance(options, dict) and options.get("include_obfuscation") is False)
        self.sealed = body.get("store") is False or "reasoning.encrypted_content" in (body.get("include") or ())

    def frames(self) -> Iterator[Frame]:
        for kind in ("created", "in_progress"):
            yield self._frame(f"response.{kind}", response=self._response("in_progress"))
        if self.answer.reasoning:
            yield from self._reasoning()
        if self.answer.text:
            yield from self._message()
        for call in self.answer.calls:
            yield from self._call(call)
        reason = _INCOMPLETE.get(self.answer.finish)
        status = "incomplete" if reason else "completed"
        yield Frame(self._event(f"response.{status}", {"response": self._response(status)}), terminal=True)

    def whole(self) -> JSON:
        for _ in self.frames():
            pass
        return self._response("incomplete" if self.answer.finish in _INCOMPLETE else "completed")

    def failure(self, fault: str) -> bytes:
        error = openai_errors.in_stream(fault, self.ask.model)
        if fault == "stream_error":
            return self._event("error", {"code": error["code"], "message": error["message"], "param": None})
        failed = {"code": _FAILED.get(fault, "server_error"), "message": error["message"]}
        return self._event("response.failed", {"response": self._response("failed") | {"error": failed}})

    def novelty(self) -> bytes:
        return self._event("response.sandbox_novelty.delta", {"delta": "nobody knows this event", "output_index": 0})

    def _reasoning(self) -> Iterator[Frame]:
        shown = self.ask.show_reasoning
        item: JSON = {"id": f"rs_{self.stem}", "type": "reasoning", "summary": []}
        index = len(self.output)
        yield self._frame("response.output_item.added", output_index=index, item=item)
        paragraphs = _paragraphs(self.answer.reasoning) if shown else []
        for number, paragraph in enumerate(paragraphs):
            place = {"item_id": item["id"], "output_index": index, "summary_index": number}
            text = joined(tuple(paragraph))
            empty = {"type": "summary_text", "text": ""}
            yield self._frame("response.reasoning_summary_part.added", **place, part=empty)
            for piece in paragraph:
                yield self._delta("response.reasoning_summary_text.delta", piece, place)
            yield self._frame("response.reasoning_summary_text.done", **place, text=text)
            part = {"type": "summary_text", "text": text}
            yield self._frame("response.reasoning_summary_part.done", **place, part=part)
            item = item | {"summary": [*item["summary"], part]}
        if self.sealed:
            content = responses_items.sealed(self.ask.model, self.ask.account, item["id"])
            item = item | {"encrypted_content": content}
        yield self._done(index, item)

    def _message(self) -> Iterator[Frame]:
        refused = self.answer.finish == "refusal"
        kind, word = ("refusal", "refusal") if refused else ("output_text", "text")
        phase = "commentary" if self.answer.calls else "final_answer"
        item: JSON = {"id": f"msg_{self.stem}", "type": "message", "role": "assistant", "phase": phase}
        index = len(self.output)
        place = {"item_id": item["id"], "output_index": index, "content_index": 0}
        extra: JSON = {} if refused else {"annotations": [], "logprobs": []}
        opening = item | {"status": "in_progress", "content": []}
        yield self._frame("response.output_item.added", output_index=index, item=opening)
        yield self._frame("response.content_part.added", **place, part={"type": kind, word: "", **extra})
        logprobs: JSON = {} if refused else {"logprobs": []}
        for piece in self.answer.text:
            yield self._delta(f"response.{kind}.delta", piece, place | logprobs)
        text = joined(self.answer.text)
        part = {"type": kind, word: text, **extra}
        yield self._frame(f"response.{kind}.done", **place, **logprobs, **{word: text})
        yield self._frame("response.content_part.done", **place, part=part)
        status = "incomplete" if self.answer.finish in _INCOMPLETE else "completed"
        yield self._done(index, item | {"status": status, "content": [part]})

    def _call(self, call: Call) -> Iterator[Frame]:
        index = len(self.output)
        name = f"fc_{self.stem}_{index}"
        item = {"id": name, "type": "function_call", "call_id": call.call_id, "name": call.name}
        place = {"item_id": item["id"], "output_index": index}
        opening = item | {"status": "in_progress", "arguments": ""}
        yield self._frame("response.output_item.added", output_index=index, item=opening)
        for piece in pieces(call.arguments):
            yield self._delta("response.function_call_arguments.delta", piece, place)
        kind = "response.function_call_arguments.done"
        yield self._frame(kind, **place, name=call.name, arguments=call.arguments)
        yield self._done(index, item | {"status": "completed", "arguments": call.arguments})

    def _done(self, index: int, item: JSON) -> Frame:
        self.output.append(item)
        return self._frame("response.output_item.done", output_index=index, item=item)

    def _delta(self, kind: str, piece: str, place: JSON) -> Frame:
        noise: JSON = {"obfuscation": "x" * (16 - len(piece) % 16)} if self.obfuscate else {}
        return Frame(self._event(kind, {"delta": piece, **place, **noise}), delta=True)

    def _frame(self, kind: str, **data: Any) -> Frame:
        return Frame(self._event(kind, data))

    def _event(self, kind: str, data: JSON) -> bytes:
        self.sequence += 1
        return f"event: {kind}\ndata: {encoded({'type': kind, 'sequence_number': self.sequence, **data})}\n\n".encode()

    def _response(self, status: str) -> JSON:
        over = status in {"completed", "incomplete", "failed"}
        reason = _INCOMPLETE.get(self.answer.finish) if status == "incomplete" else None
        reasoning = self.body.get("reasoning") or {}
        return {
            "id": self.response_id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "model": self.ask.model,
            "output": self.output if over else [],
            "reasoning": {"effort": self.ask.effort, "summary": reasoning.get("summary")},
            "tool_choice": self.body.get("tool_choice", "auto"),
            "tools": self.body.get("tools", []),
            "usage": self._usage() if over and status != "failed" else None,
            "parallel_tool_calls": True,
            **{name: self.body[name] for name in _ECHOED if name in self.body},
        }

    def _usage(self) -> JSON:
        spent, made = self.ask.input_tokens, self.answer.output_tokens
        return {
            "input_tokens": spent,
            "input_tokens_details": {"cached_tokens": self.ask.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": self.answer.reasoning_tokens},
            "total_tokens": spent + made,
        }


def _paragraphs(reasoning: tuple[str, ...]) -> list[list[str]]:
    """The reasoning cut into summary parts: each begins with its bold title."""
    parts: list[list[str]] = []
    for piece in reasoning:
        if not parts or piece.startswith("\n\n**"):
            parts.append([])
        parts[-1].append(piece.lstrip() if not parts[-1] else piece)
    return parts
