"""Gemini's error bodies: google.rpc statuses with details; an invalid key is a 400 there."""

from typing import NoReturn

from providers.sandbox.asks import JSON
from providers.sandbox.wires import Problem, Refused

_RPC = "type.googleapis.com/google.rpc"
_ROWS: dict[str, tuple[int, str, str]] = {
    "missing_key": (
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API.",
    ),
    "bad_key": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "expired": (400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."),
    "forbidden": (403, "PERMISSION_DENIED", "Your project has been denied access. Please contact support."),
    "rate_limit": (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details. Please retry in {seconds:g}s.",
    ),
    "quota": (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "too_long": (
        400,
        "INVALID_ARGUMENT",
        "The input token count (2097152) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "not_found": (
        404,
        "NOT_FOUND",
        "models/{model} is not found for API version v1beta, or is not supported for generateContent. "
        "Call ListModels to see the list of available models and their supported methods.",
    ),
    "server_error": (500, "INTERNAL", "An internal error has occurred. Please retry."),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
}
_QUOTAS = {
    "rate_limit": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    "quota": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
}


def problem(fault: str, *, model: str = "", seconds: float = 7) -> Problem | None:
    return _problem(fault, model, seconds) if fault in _ROWS else None


def unknown_model(model: str) -> NoReturn:
    raise Refused(_problem("not_found", model))


def _problem(fault: str, model: str, seconds: float = 7) -> Problem:
    status, name, message = _ROWS[fault]
    error = {"code": status, "message": message.format(model=model, seconds=seconds), "status": name}
    details = _details(fault, model, seconds)
    return Problem(status, {"error": error | ({"details": details} if details else {})})


def in_stream(fault: str, model: str) -> JSON:
    """The body of a failure inside a stream; an unnamed one is an overload."""
    return _problem(fault if fault in _ROWS else "overloaded", model).body


def refuse(message: str, *, status: int = 400, name: str = "INVALID_ARGUMENT") -> NoReturn:
    raise Refused(Problem(status, {"error": {"code": status, "message": message, "status": name}}))


def _details(fault: str, model: str, seconds: float) -> list[JSON]:
    if fault in {"bad_key", "expired"}:
        info = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        return [{"@type": f"{_RPC}.ErrorInfo", **info, "metadata": {"service": "generativelanguage.googleapis.com"}}]
    if fault in _QUOTAS:
        violation = {"quotaId": _QUOTAS[fault], "quotaDimensions": {"location": "global", "model": model}}
        details: list[JSON] = [{"@type": f"{_RPC}.QuotaFailure", "violations": [violation]}]
        retry = {"@type": f"{_RPC}.RetryInfo", "retryDelay": f"{seconds:g}s"}
        return [*details, retry] if fault == "rate_limit" else details
    return []
