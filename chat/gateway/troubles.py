"""A refusal as OpenAI's clients read it: one `error` object, and a status that makes them raise what fits."""

from typing import Any

import msgspec
from django.http import HttpResponse

from accounts.problems import Problem
from chat.protocol import LIMIT_REACHED, failure
from providers.errors import ErrorCode, ProviderError

# A key of ours that a vendor refuses is no fault of the client's token, which 401 would say.
STATUS = {
    ErrorCode.MISSING_AUTH: 403,
    ErrorCode.INVALID_AUTH: 403,
    ErrorCode.SESSION_EXPIRED: 403,
    ErrorCode.PERMISSION_DENIED: 403,
    ErrorCode.POLICY_DENIED: 403,
    ErrorCode.MODEL_NOT_FOUND: 404,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.QUOTA_EXCEEDED: 429,
    ErrorCode.PROVIDER_UNAVAILABLE: 503,
    ErrorCode.TIMEOUT: 504,
    ErrorCode.INTERRUPTED: 500,
}
TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
# Words that clients look for.
CODES = {ErrorCode.CONTEXT_TOO_LONG: "context_length_exceeded", ErrorCode.QUOTA_EXCEEDED: "insufficient_quota"}


def body(error: Problem | ProviderError) -> dict[str, Any]:
    if isinstance(error, Problem):
        words, code, param = f"{error.title} {error.detail}".strip(), error.code, error.extra.get("param") or None
    else:
        told = failure(error)
        words, code, param = told["message"], _code(error), None
    return {"error": {"message": words, "type": _type(status(error)), "code": code, "param": param}}


def status(error: Problem | ProviderError) -> int:
    if isinstance(error, Problem):
        return error.status
    return 429 if error.detail == LIMIT_REACHED else STATUS.get(error.code, 400)


def _code(error: ProviderError) -> str:
    return LIMIT_REACHED if error.detail == LIMIT_REACHED else CODES.get(error.code, error.code.value)


def response(error: Problem | ProviderError) -> HttpResponse:
    answer = HttpResponse(msgspec.json.encode(body(error)), content_type="application/json", status=status(error))
    answer["Cache-Control"] = "no-store"
    wait = error.extra.get("retry_after") if isinstance(error, Problem) else error.retry_after
    if wait is not None:
        answer["Retry-After"] = str(max(1, round(wait)))
    return answer


def _type(code: int) -> str:
    return TYPES.get(code, "server_error" if code >= 500 else "invalid_request_error")
