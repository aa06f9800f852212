"""OpenAI's error bodies, the same for Responses and Chat Completions."""

from typing import NoReturn

from providers.sandbox.asks import JSON
from providers.sandbox.wires import Problem, Refused

type Row = tuple[int, str, str | None, str]  # status, type, code, message

_ROWS: dict[str, Row] = {
    "missing_key": (
        401,
        "invalid_request_error",
        None,
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth.",
    ),
    "bad_key": (
        401,
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided: sandbox-***. You can find your API key in your settings.",
    ),
    "expired": (401, "invalid_request_error", "token_expired", "Your authentication token has expired."),
    "forbidden": (
        403,
        "invalid_request_error",
        "insufficient_permissions",
        "You have insufficient permissions for this operation. Missing scopes: model.request.",
    ),
    "rate_limit": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for {model} on requests per min. Please try again in {seconds:g}s.",
    ),
    "quota": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "too_long": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
    ),
    "not_found": (
        404,
        "invalid_request_error",
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "blocked": (
        400,
        "invalid_request_error",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
    ),
    "server_error": (
        500,
        "server_error",
        "server_error",
        "The server had an error while processing your request. Sorry about that!",
    ),
    "overloaded": (
        503,
        "service_unavailable_error",
        "server_is_overloaded",
        "Our servers are currently overloaded. Please try again later.",
    ),
}
_PARAMS = {"too_long": "input", "not_found": "model"}


def problem(fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
    return _problem(fault, model, seconds) if fault in _ROWS else None


def unknown_model(model: str) -> NoReturn:
    raise Refused(_problem("not_found", model))


def _problem(fault: str, model: str, seconds: float = 7) -> Problem:
    status, kind, code, message = _ROWS[fault]
    error = {
        "message": message.format(model=model, seconds=seconds),
        "type": kind,
        "param": _PARAMS.get(fault),
        "code": code,
    }
    headers = {"retry-after": f"{seconds:g}"} if fault == "rate_limit" else {}
    return Problem(status, {"error": error}, headers)


def in_stream(fault: str, model: str) -> JSON:
    """The inner error object for a failure inside a stream; an unnamed one is a server error."""
    error: JSON = _problem(fault if fault in _ROWS else "server_error", model).body["error"]
    return error


def refuse(message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> NoReturn:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    raise Refused(Problem(status, {"error": error}))


def bearer(headers: dict[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
