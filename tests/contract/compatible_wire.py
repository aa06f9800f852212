"""The Chat Completions wire, written by hand after OpenAI's documentation and what local servers really send."""

import json
from typing import Any

from tests.contract.answers import CACHED, INPUT, MODEL, OUTPUT, REASONING, RESPONSE_ID, SOURCE, Answer, Refusal, sse
from tests.contract.openai_wire import ERRORS as OPENAI_ERRORS

PATH = "/v1/chat/completions"
UNKNOWN = "chat.telepathy.chunk"
ODD_REASON = "bored"
MODELS = {
    "object": "list",
    "data": [
        {"id": MODEL, "object": "model", "created": 1767225600, "owned_by": "vllm", "max_model_len": 32768},
        {"id": "nomic-embed-text", "object": "model", "created": 1767225600, "owned_by": "library"},
    ],
}
_REASONS = {"length": "length", "blocked": "content_filter", "odd": ODD_REASON}
_USAGE = {
    "prompt_tokens": INPUT,
    "prompt_tokens_details": {"cached_tokens": CACHED},
    "completion_tokens": OUTPUT,
    "completion_tokens_details": {"reasoning_tokens": REASONING},
    "total_tokens": INPUT + OUTPUT,
}


def _chunk(delta: dict[str, Any] | None, finish: str | None = None, **fields: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    head = {"id": RESPONSE_ID, "object": "chat.completion.chunk", "created": 1767225600, "model": MODEL}
    return sse({**head, "choices": choices, **fields})


def render(answer: Answer) -> bytes:
    out = b": a comment keeps the line open\n\n" + _chunk({"role": "assistant", "content": None})
    out += b"".join(_chunk({"reasoning_content": piece}) for piece in answer.reasoning)
    if answer.unknown:
        out += sse({"object": UNKNOWN, "thought": "42"})
    out += b"".join(_chunk({"content": piece}) for piece in answer.text)
    out += b"".join(_chunk({"refusal": piece}) for piece in answer.refusal)
    if answer.cited:
        note = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 2, **SOURCE}}
        out += _chunk({"annotations": [note]})
    for index, call in enumerate(answer.calls):
        named = {"index": index, "id": call.call_id, "type": "function"}
        out += _chunk({"tool_calls": [{**named, "function": {"name": call.name, "arguments": ""}}]})
        for start in range(0, len(call.arguments), 5):
            piece = {"index": index, "function": {"arguments": call.arguments[start : start + 5]}}
            out += _chunk({"tool_calls": [piece]})
    if answer.terminal:
        finish = _REASONS.get(answer.finish) or ("tool_calls" if answer.calls else "stop")
        out += _chunk({}, finish) + _chunk(None, usage=_USAGE) + b"data: [DONE]\n\n"
    return out


def models() -> bytes:
    return json.dumps(MODELS).encode()


ERRORS: dict[str, Refusal] = {
    **OPENAI_ERRORS,
    # llama.cpp and vLLM write a number where OpenAI writes a word.
    "too_long": (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size",
                "type": "exceed_context_size_error",
            }
        },
        {"x-request-id": "req_1"},
    ),
}


def stream_error(case: str) -> bytes:
    return sse(ERRORS[case][1])
