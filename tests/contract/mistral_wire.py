"""Mistral's Chat Completions wire, written by hand after its documentation and the bodies people quote from it."""

import json
from typing import Any

from tests.contract.answers import CACHED, INPUT, MODEL, OUTPUT, RESPONSE_ID, SOURCE, Answer, Refusal, sse

PATH = "/v1/chat/completions"
UNKNOWN = "telepathy"
ODD_REASON = "bored"
SIGNATURE = "c2lnbmVk"
_CHATS = {
    "completion_chat": True,
    "function_calling": True,
    "vision": True,
    "reasoning": False,
    "completion_fim": False,
}
_CARD = {
    "object": "model",
    "created": 1767225600,
    "owned_by": "mistralai",
    "type": "base",
    "max_context_length": 262144,
}
MODELS = {
    "object": "list",
    "data": [
        {
            **_CARD,
            "id": "model-1-alias",
            "name": MODEL,
            "aliases": [MODEL],
            "capabilities": _CHATS,
            "deprecation": "2027-01-14T12:00:00Z",
        },
        {
            **_CARD,
            "id": MODEL,
            "name": MODEL,
            "description": "Answers.",
            "aliases": ["model-1-alias"],
            "capabilities": _CHATS,
            "deprecation": "2027-01-14T12:00:00Z",
            "default_model_temperature": 0.3,
        },
        {
            **_CARD,
            "id": "mistral-embed",
            "name": "mistral-embed",
            "aliases": [],
            "capabilities": _CHATS | {"completion_chat": False},
            "deprecation": None,
        },
    ],
}
_REASONS = {"length": "length", "odd": ODD_REASON}
# Reasoning is counted among the completion tokens, and not told apart.
_USAGE = {
    "prompt_tokens": INPUT,
    "total_tokens": INPUT + OUTPUT,
    "completion_tokens": OUTPUT,
    "prompt_tokens_details": {"cached_tokens": CACHED},
}


def chunk(delta: dict[str, Any], finish: str | None = None, **fields: Any) -> bytes:
    head = {"id": RESPONSE_ID, "object": "chat.completion.chunk", "created": 1767225600, "model": MODEL}
    return sse({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **fields})


def thinks(*words: str, **fields: Any) -> bytes:
    thinking = [{"type": "text", "text": word} for word in words]
    return chunk({"content": [{"type": "thinking", "thinking": thinking, **fields}]})


def ends(finish: str = "stop", delta: dict[str, Any] | None = None) -> bytes:
    return chunk({"content": ""} if delta is None else delta, finish, usage=_USAGE) + b"data: [DONE]\n\n"


def render(answer: Answer) -> bytes:
    out = chunk({"role": "assistant", "content": ""})
    out += b"".join(thinks(piece) for piece in answer.reasoning)
    if answer.reasoning:
        out += thinks(signature=SIGNATURE, closed=True)
    if answer.unknown:
        out += chunk({"content": [{"type": UNKNOWN, "thought": "42"}]})
    out += b"".join(chunk({"content": piece}) for piece in (*answer.text, *answer.refusal))
    if answer.cited:
        out += chunk({"content": [{"type": "tool_reference", "tool": "web_search", **SOURCE}]})
    calls = [
        {"id": call.call_id, "function": {"name": call.name, "arguments": call.arguments}, "index": index}
        for index, call in enumerate(answer.calls)
    ]
    if not answer.terminal:
        return out
    if calls:
        return out + ends("tool_calls", {"content": "", "tool_calls": calls})
    return out + ends(_REASONS.get(answer.finish, "stop"))


def models() -> bytes:
    return json.dumps(MODELS).encode()


def _error(status: int, message: str, kind: str, code: str | None) -> Refusal:
    head = {"mistral-correlation-id": "req_1"} | ({"retry-after": "7"} if status == 429 else {})
    body = {"object": "error", "message": message, "type": kind, "param": None, "code": code}
    return status, {**body, "raw_status_code": status}, head


_ORDER = "Unexpected role 'user' after role 'tool'"
_TOO_LONG = "Prompt contains 300000 tokens and 0 draft tokens, too large for model with 262144 maximum context length"

ERRORS: dict[str, Refusal] = {
    "bad_key": (401, {"detail": "Unauthorized"}, {"mistral-correlation-id": "req_1"}),
    "forbidden": (403, {"message": "You are not allowed to do this.", "request_id": "req_1"}, {}),
    "rate_limited": _error(429, "Rate limit exceeded", "rate_limited", "1300"),
    "quota": _error(429, "You have used up your monthly quota.", "quota", None),
    "too_long": _error(400, _TOO_LONG, "invalid_request_prompt", "3051"),
    "not_found": _error(400, "Invalid model: model-1", "invalid_model", "1500"),
    "invalid": _error(400, _ORDER, "invalid_request_message_order", "3230"),
    "server_error": _error(500, "Service unavailable.", "internal_server_error", "1000"),
    "overloaded": _error(503, "Internal server error", "unreachable_backend", "1100"),
}


def stream_error(case: str) -> bytes:
    return sse(ERRORS[case][1])
