"""Anthropic's Messages wire, written by hand after its documentation."""

import json
from typing import Any

from tests.contract.answers import CACHED, INPUT, MODEL, OUTPUT, REASONING, RESPONSE_ID, SOURCE, Answer, Refusal, sse

PATH = "/v1/messages"
UNKNOWN = "telepathy"
ODD_REASON = "bored"
SIGNATURE = "c2lnbmVk"
MODELS = {
    "data": [
        {
            "type": "model",
            "id": MODEL,
            "display_name": "Model One",
            "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": "deprecated",
            "deprecated_at": "2026-09-01T00:00:00Z",
            "retires_at": "2027-01-14T00:00:00Z",
            "line": "opus",
            "max_input_tokens": 1000000,
            "max_tokens": 128000,
            "capabilities": {
                "batch": {"supported": True},
                "effort": {"supported": True, "low": {"supported": True}},
                "image_input": {"supported": True},
                "pdf_input": {"supported": True},
                "server_tools": {"supported": False, "web_search": {"supported": False}},
                "structured_outputs": {"supported": True},
                "thinking": {"supported": True, "types": {"adaptive": {"supported": True}}},
            },
        },
        {
            "type": "model",
            "id": "claude-2.1",
            "display_name": "Claude 2.1",
            "created_at": "1970-01-01T00:00:00Z",
            "lifecycle": "retired",
        },
    ],
    "has_more": False,
    "first_id": MODEL,
    "last_id": "claude-2.1",
}
_REASONS = {"length": "max_tokens", "odd": ODD_REASON}
# The vendor counts what it read from its cache, and what it wrote there, beside the rest.
_BEFORE = {
    "input_tokens": INPUT - CACHED - 3,
    "cache_read_input_tokens": CACHED,
    "cache_creation_input_tokens": 3,
    "output_tokens": 1,
    "service_tier": "standard",
}
_AFTER = {"output_tokens": OUTPUT, "output_tokens_details": {"thinking_tokens": REASONING}}


class _Stream:
    def __init__(self) -> None:
        self.out = b""
        self.blocks = 0

    def say(self, kind: str, **fields: Any) -> None:
        self.out += sse({"type": kind, **fields}, event=kind)

    def block(self, opening: dict[str, Any], *deltas: dict[str, Any]) -> None:
        self.begin(opening, *deltas)
        self.say("content_block_stop", index=self.blocks)
        self.blocks += 1

    def begin(self, opening: dict[str, Any], *deltas: dict[str, Any]) -> None:
        self.say("content_block_start", index=self.blocks, content_block=opening)
        for delta in deltas:
            self.say("content_block_delta", index=self.blocks, delta=delta)


def render(answer: Answer) -> bytes:
    stream = _Stream()
    message = {"id": RESPONSE_ID, "type": "message", "role": "assistant", "model": MODEL, "content": []}
    stream.say("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": _BEFORE})
    stream.say("ping")
    if answer.unknown:
        stream.say(UNKNOWN, delta="42")
    if answer.reasoning:
        thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in answer.reasoning]
        signed = {"type": "signature_delta", "signature": SIGNATURE}
        stream.block({"type": "thinking", "thinking": "", "signature": ""}, *thoughts, signed)
    if pieces := answer.text or answer.refusal:
        deltas: list[dict[str, Any]] = [{"type": "text_delta", "text": piece} for piece in pieces]
        if answer.cited:
            where = {"type": "web_search_result_location", "cited_text": "a", "encrypted_index": "aW5kZXg=", **SOURCE}
            deltas.append({"type": "citations_delta", "citation": where})
        write = stream.block if answer.terminal else stream.begin
        write({"type": "text", "text": "", "citations": None}, *deltas)
    for call in answer.calls:
        begun = {"type": "tool_use", "id": call.call_id, "name": call.name, "input": {}}
        cuts = ["", *(call.arguments[start : start + 5] for start in range(0, len(call.arguments), 5))]
        stream.block(begun, *({"type": "input_json_delta", "partial_json": cut} for cut in cuts))
    if answer.terminal:
        _end(stream, answer)
    return stream.out


def _end(stream: _Stream, answer: Answer) -> None:
    usual = "refusal" if answer.refusal else "tool_use" if answer.calls else "end_turn"
    details = {"type": "refusal", "category": "cyber", "explanation": None} if answer.refusal else None
    reason = _REASONS.get(answer.finish, usual)
    delta = {"stop_reason": reason, "stop_sequence": None, "stop_details": details}
    stream.say("message_delta", delta=delta, usage=_AFTER)
    stream.say("message_stop")


def models() -> bytes:
    return json.dumps(MODELS).encode()


def error(status: int, kind: str, message: str, cause: str = "", **headers: str) -> Refusal:
    details = {"error_code": cause} if cause else None
    body = {"type": "error", "error": {"type": kind, "message": message, "details": details}, "request_id": "req_1"}
    return status, body, {"request-id": "req_1", **headers}


_TOO_LONG = "prompt is too long: 1200000 tokens > 1000000 maximum"

ERRORS: dict[str, Refusal] = {
    "bad_key": error(401, "authentication_error", "invalid bearer token sk-ant-abc***xyz"),
    "forbidden": error(403, "permission_error", "Your API key does not have permission to use this resource."),
    "rate_limited": error(429, "rate_limit_error", "This would exceed your rate limit.", **{"retry-after": "7"}),
    "quota": error(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    "too_long": error(400, "invalid_request_error", _TOO_LONG),
    "not_found": error(404, "not_found_error", f"model: {MODEL}"),
    "invalid": error(400, "invalid_request_error", "temperature: Extra inputs are not permitted"),
    "server_error": error(500, "api_error", "Internal server error"),
    "overloaded": error(529, "overloaded_error", "Overloaded"),
}


def stream_error(case: str) -> bytes:
    """The error as an event in a stream whose status was 200."""
    return sse(ERRORS[case][1], event="error")


# ---------------------------------------------------------------- answers that no other wire has
def stream(*events: dict[str, Any]) -> bytes:
    return b"".join(sse(event, event=event["type"]) for event in events)


def block(opening: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    said = [{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas]
    begun = {"type": "content_block_start", "index": 0, "content_block": opening}
    return [begun, *said, {"type": "content_block_stop", "index": 0}]


def ended(reason: str) -> list[dict[str, Any]]:
    return [{"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {}}, {"type": "message_stop"}]
