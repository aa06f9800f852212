"""OpenAI's Responses wire, written by hand after its documentation."""

import json
from typing import Any

from tests.contract.answers import CACHED, INPUT, MODEL, OUTPUT, REASONING, RESPONSE_ID, SOURCE, Answer, Refusal, sse

PATH = "/v1/responses"
MODELS = {
    "object": "list",
    "data": [
        {"id": MODEL, "object": "model", "created": 1767225600, "owned_by": "openai", "shutdown_date": "2027-01-14"},
        {"id": "text-embedding-3-small", "object": "model", "created": 1705948997, "owned_by": "system"},
        {"id": "gpt-realtime", "object": "model", "created": 1705948997, "owned_by": "system"},
        {"id": "omni-moderation-latest", "object": "model", "created": 1705948997, "owned_by": "system"},
    ],
}
UNKNOWN = "response.telepathy.delta"
ODD_REASON = "bored"
_INCOMPLETE = {"length": "max_output_tokens", "blocked": "content_filter", "odd": ODD_REASON}
_USAGE = {
    "input_tokens": INPUT,
    "input_tokens_details": {"cached_tokens": CACHED, "cache_write_tokens": 0},
    "output_tokens": OUTPUT,
    "output_tokens_details": {"reasoning_tokens": REASONING},
    "total_tokens": INPUT + OUTPUT,
}


class _Stream:
    def __init__(self) -> None:
        self.out = b""
        self.number = 0

    def say(self, kind: str, **fields: Any) -> None:
        self.out += sse({"type": kind, "sequence_number": self.number, **fields}, event=kind)
        self.number += 1


def _response(status: str, **fields: Any) -> dict[str, Any]:
    return {"id": RESPONSE_ID, "object": "response", "model": MODEL, "status": status, "usage": None, **fields}


def render(answer: Answer) -> bytes:
    stream = _Stream()
    stream.say("response.created", response=_response("in_progress", output=[]))
    stream.say("response.in_progress", response=_response("in_progress", output=[]))
    items: list[dict[str, Any]] = []
    if answer.unknown:
        stream.say(UNKNOWN, delta={"thought": "42"}, output_index=0)
    if answer.reasoning:
        items.append(_reasoning(stream, len(items), answer.reasoning))
    if answer.text or answer.refusal:
        items.append(_message(stream, len(items), answer))
    for call in answer.calls:
        fields = {"type": "function_call", "id": f"fc_{call.call_id}", "call_id": call.call_id, "name": call.name}
        item = {**fields, "arguments": call.arguments, "status": "completed"}
        index = len(items)
        stream.say(
            "response.output_item.added", output_index=index, item={**item, "arguments": "", "status": "in_progress"}
        )
        for start in range(0, len(call.arguments), 5):
            piece = call.arguments[start : start + 5]
            stream.say("response.function_call_arguments.delta", item_id=item["id"], output_index=index, delta=piece)
        stream.say("response.function_call_arguments.done", output_index=index, arguments=call.arguments)
        stream.say("response.output_item.done", output_index=index, item=item)
        items.append(item)
    if answer.terminal:
        _end(stream, answer, items)
    return stream.out


def _reasoning(stream: _Stream, index: int, pieces: tuple[str, ...]) -> dict[str, Any]:
    item = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "".join(pieces)}]}
    stream.say(
        "response.output_item.added", output_index=index, item={"type": "reasoning", "id": "rs_1", "summary": []}
    )
    stream.say("response.reasoning_summary_part.added", output_index=index, summary_index=0, part={"text": ""})
    for piece in pieces:
        stream.say("response.reasoning_summary_text.delta", output_index=index, summary_index=0, delta=piece)
    stream.say("response.reasoning_summary_text.done", output_index=index, summary_index=0, text="".join(pieces))
    whole = {**item, "encrypted_content": "c2VhbGVk"}
    stream.say("response.output_item.done", output_index=index, item=whole)
    return whole


def _message(stream: _Stream, index: int, answer: Answer) -> dict[str, Any]:
    head = {"type": "message", "id": "msg_1", "role": "assistant", "phase": "final_answer"}
    stream.say("response.output_item.added", output_index=index, item={**head, "status": "in_progress", "content": []})
    stream.say("response.content_part.added", output_index=index, content_index=0, part={"type": "output_text"})
    for piece in answer.text:
        stream.say("response.output_text.delta", output_index=index, content_index=0, delta=piece, logprobs=[])
    for piece in answer.refusal:
        stream.say("response.refusal.delta", output_index=index, content_index=0, delta=piece)
    notes = [{"type": "url_citation", "start_index": 0, "end_index": 2, **SOURCE}] if answer.cited else []
    for note in notes:
        stream.say("response.output_text.annotation.added", output_index=index, annotation_index=0, annotation=note)
    content = (
        {"type": "refusal", "refusal": "".join(answer.refusal)}
        if answer.refusal
        else {"type": "output_text", "text": "".join(answer.text), "annotations": notes}
    )
    item = {**head, "status": "completed", "content": [content]}
    stream.say("response.output_item.done", output_index=index, item=item)
    return item


def _end(stream: _Stream, answer: Answer, items: list[dict[str, Any]]) -> None:
    if answer.finish == "stop":
        stream.say("response.completed", response=_response("completed", usage=_USAGE, output=items))
    else:
        details = {"reason": _INCOMPLETE[answer.finish]}
        response = _response("incomplete", usage=_USAGE, output=items, incomplete_details=details)
        stream.say("response.incomplete", response=response)


def models() -> bytes:
    return json.dumps(MODELS).encode()


def _error(status: int, code: str | None, message: str, kind: str = "invalid_request_error", **headers: str) -> Refusal:
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return status, body, {"x-request-id": "req_1", **headers}


ERRORS: dict[str, Refusal] = {
    "bad_key": _error(401, "invalid_api_key", "Incorrect API key provided: sk-abc***xyz."),
    "forbidden": _error(403, None, "You have insufficient permissions for this operation."),
    "rate_limited": _error(429, "rate_limit_exceeded", "Rate limit reached.", "requests", **{"retry-after": "7"}),
    "quota": _error(429, "insufficient_quota", "You exceeded your current quota.", "insufficient_quota"),
    "too_long": _error(400, "context_length_exceeded", "Your input exceeds the context window of this model."),
    "not_found": _error(404, "model_not_found", "The model `model-1` does not exist."),
    "blocked": _error(400, "content_policy_violation", "Your request was rejected."),
    "invalid": _error(400, "unsupported_parameter", "Unsupported parameter: 'temperature'."),
    "server_error": _error(500, None, "The server had an error.", "server_error"),
    "overloaded": _error(503, "server_is_overloaded", "Our servers are overloaded.", "service_unavailable_error"),
}


def stream_error(case: str) -> bytes:
    """The error as an event in a stream whose status was 200."""
    error = ERRORS[case][1]["error"] | {"type": "error", "sequence_number": 9}
    return sse(error, event="error")
