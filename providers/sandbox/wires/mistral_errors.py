"""Mistral's error bodies: an object that calls itself an error, and from its validator a list of what it found."""

import uuid
from typing import NoReturn

from providers.sandbox.asks import JSON
from providers.sandbox.wires import Problem, Refused

type Row = tuple[int, str, str | None, str]  # status, type, code, message

_ROWS: dict[str, Row] = {
    "forbidden": (403, "forbidden", None, "This key has no access to this model."),
    "rate_limit": (429, "rate_limited", "1300", "Rate limit exceeded"),
    "quota": (429, "quota_exceeded", None, "The monthly quota of this workspace is used up."),
    "too_long": (
        400,
        "invalid_request_prompt",
        "3051",
        "Prompt contains 300000 tokens and 0 draft tokens, too large for model with 262144 maximum context length",
    ),
    "not_found": (400, "invalid_model", "1500", "Invalid model: {model}"),
    "blocked": (403, "guardrail_violation", None, "The request was blocked by a guardrail of this workspace."),
    "server_error": (500, "internal_server_error", "1000", "Service unavailable."),
    "overloaded": (503, "unreachable_backend", "1100", "Internal server error"),
}
# The gateway in front of the models refuses keys, in words of its own.
_KEYS = {"missing_key", "bad_key", "expired"}


def problem(fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
    return _problem(fault, model, seconds) if fault in _ROWS or fault in _KEYS else None


def unknown_model(model: str) -> NoReturn:
    raise Refused(_problem("not_found", model))


def in_stream(fault: str, model: str) -> JSON:
    """The body of a failure inside a stream; an unnamed one is a server error."""
    return _problem(fault if fault in _ROWS or fault in _KEYS else "server_error", model).body


def refuse(message: str, *, kind: str = "invalid_request_error", code: str | None = None) -> NoReturn:
    raise Refused(_refusal(400, kind, code, message))


def invalid(found: str, *place: str | int, kind: str = "value_error") -> NoReturn:
    """What the validator says of one field; `place` leads to it from the body."""
    raise Refused(Problem(422, {"detail": [{"type": kind, "loc": ["body", *place], "msg": found}]}, _headers()))


def _problem(fault: str, model: str, seconds: float = 7) -> Problem:
    if fault in _KEYS:
        return Problem(401, {"detail": "Unauthorized"}, _headers())
    status, kind, code, message = _ROWS[fault]
    refusal = _refusal(status, kind, code, message.format(model=model))
    if fault == "rate_limit":
        refusal.headers["retry-after"] = f"{seconds:g}"
    return refusal


def _refusal(status: int, kind: str, code: str | None, message: str) -> Problem:
    body = {"object": "error", "message": message, "type": kind, "param": None, "code": code}
    return Problem(status, {**body, "raw_status_code": status}, _headers())


def _headers() -> dict[str, str]:
    return {"mistral-correlation-id": str(uuid.uuid4())}
