"""Anthropic's error bodies: an envelope with a type of its own, the id of the request in the header and in the body."""

import uuid
from typing import NoReturn

from providers.sandbox.asks import JSON
from providers.sandbox.wires import Problem, Refused

INVALID = "invalid_request_error"
_ROWS: dict[str, tuple[int, str, str]] = {
    "missing_key": (401, "authentication_error", "Authorization: a bearer token is required"),
    "bad_key": (401, "authentication_error", "invalid bearer token"),
    "expired": (401, "authentication_error", "This API key has expired."),
    "forbidden": (403, "permission_error", "Your API key does not have permission to use the specified resource."),
    "rate_limit": (
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit for {model}. Please try again later.",
    ),
    "quota": (
        400,
        INVALID,
        "Your credit balance is too low to access the Anthropic API. "
        "Please go to Plans & Billing to upgrade or purchase credits.",
    ),
    "too_long": (400, INVALID, "prompt is too long: 1200000 tokens > 1000000 maximum"),
    "not_found": (404, "not_found_error", "model: {model}"),
    "blocked": (400, INVALID, "Output blocked by content filtering policy"),
    "server_error": (500, "api_error", "Internal server error"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
}


def problem(fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
    if fault not in _ROWS:
        return None
    status, kind, message = _ROWS[fault]
    headers = {"retry-after": f"{seconds:g}"} if fault == "rate_limit" else {}
    return _problem(status, kind, message.format(model=model), headers)


def unknown_model(model: str) -> NoReturn:
    status, kind, message = _ROWS["not_found"]
    raise Refused(_problem(status, kind, message.format(model=model)))


def in_stream(fault: str, model: str) -> JSON:
    """The body of a failure inside a stream; an unnamed one is an overload."""
    _, kind, message = _ROWS.get(fault, _ROWS["overloaded"])
    return _envelope(kind, message.format(model=model), None)


def refuse(message: str) -> NoReturn:
    raise Refused(_problem(400, INVALID, message))


def _problem(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Problem:
    request_id = f"req_{uuid.uuid4().hex[:24]}"
    return Problem(status, _envelope(kind, message, request_id), {"request-id": request_id, **(headers or {})})


def _envelope(kind: str, message: str, request_id: str | None) -> JSON:
    return {"type": "error", "error": {"details": None, "type": kind, "message": message}, "request_id": request_id}
