"""What the errors of the OpenAI wires mean, from OpenAI itself and from servers that speak like it; no SDK here."""

import re
from collections.abc import Mapping
from typing import Any

from providers import faults
from providers.adapters.base import failed
from providers.errors import ErrorCode, ProviderError

_BY_CODE: dict[str, ErrorCode] = {
    "invalid_api_key": ErrorCode.INVALID_AUTH,
    "account_deactivated": ErrorCode.INVALID_AUTH,
    "authentication_error": ErrorCode.INVALID_AUTH,
    "token_expired": ErrorCode.SESSION_EXPIRED,
    "unsupported_country_region_territory": ErrorCode.PERMISSION_DENIED,
    "permission_error": ErrorCode.PERMISSION_DENIED,
    "rate_limit_exceeded": ErrorCode.RATE_LIMITED,
    "slow_down": ErrorCode.RATE_LIMITED,
    "insufficient_quota": ErrorCode.QUOTA_EXCEEDED,
    "billing_hard_limit_reached": ErrorCode.QUOTA_EXCEEDED,
    "credit_balance_exhausted": ErrorCode.QUOTA_EXCEEDED,
    "organization_spend_limit_exceeded": ErrorCode.QUOTA_EXCEEDED,
    "project_spend_limit_exceeded": ErrorCode.QUOTA_EXCEEDED,
    "organization_usage_limit_exceeded": ErrorCode.QUOTA_EXCEEDED,
    "context_length_exceeded": ErrorCode.CONTEXT_TOO_LONG,
    "string_above_max_length": ErrorCode.CONTEXT_TOO_LONG,
    "exceed_context_size_error": ErrorCode.CONTEXT_TOO_LONG,
    "content_policy_violation": ErrorCode.CONTENT_BLOCKED,
    "content_filter": ErrorCode.CONTENT_BLOCKED,
    "invalid_prompt": ErrorCode.CONTENT_BLOCKED,
    "bio_policy": ErrorCode.CONTENT_BLOCKED,
    "misalignment_policy_violation": ErrorCode.CONTENT_BLOCKED,
    "model_not_found": ErrorCode.MODEL_NOT_FOUND,
    "server_error": ErrorCode.PROVIDER_UNAVAILABLE,
    "server_is_overloaded": ErrorCode.PROVIDER_UNAVAILABLE,
    # Of ChatGPT plans.
    "subscription_sharing_invalid_user": ErrorCode.SESSION_EXPIRED,
    "subscription_sharing_user_not_eligible": ErrorCode.PERMISSION_DENIED,
    "subscription_sharing_usage_limit_exceeded": ErrorCode.QUOTA_EXCEEDED,
    "subscription_sharing_usage_unavailable": ErrorCode.PROVIDER_UNAVAILABLE,
    "subscription_sharing_unsupported_capability": ErrorCode.INVALID_REQUEST,
    "unsupported_parameter": ErrorCode.INVALID_REQUEST,
    "unsupported_value": ErrorCode.INVALID_REQUEST,
}
_BY_STATUS: dict[int, ErrorCode] = {
    401: ErrorCode.INVALID_AUTH,
    402: ErrorCode.QUOTA_EXCEEDED,
    403: ErrorCode.PERMISSION_DENIED,
    404: ErrorCode.MODEL_NOT_FOUND,
    408: ErrorCode.TIMEOUT,
    413: ErrorCode.CONTEXT_TOO_LONG,
    429: ErrorCode.RATE_LIMITED,
    504: ErrorCode.TIMEOUT,
}
# Prose, only where the status leaves it open.
_BY_WORDS: tuple[tuple[frozenset[int], re.Pattern[str], ErrorCode], ...] = (
    (
        frozenset({400, 422, 500}),
        re.compile(r"context (length|size|window)|maximum context|prompt is too long|too many tokens", re.IGNORECASE),
        ErrorCode.CONTEXT_TOO_LONG,
    ),
    (
        frozenset({400, 403}),
        re.compile(r"does not have access to model|model .{0,120}(not found|does not exist)", re.IGNORECASE),
        ErrorCode.MODEL_NOT_FOUND,
    ),
    (frozenset({429}), re.compile(r"\bquota\b|billing|credit balance", re.IGNORECASE), ErrorCode.QUOTA_EXCEEDED),
)
_TRY_AGAIN = re.compile(r"try again in (\d{1,6}(?:\.\d{1,6})?)(ms|s)\b", re.IGNORECASE)
_DETAILS = {
    "server_is_overloaded": "overloaded",
    "overloaded_error": "overloaded",
}


def failure(
    provider_id: str,
    body: object,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> ProviderError:
    """The error that `body` describes: an error object, its text, or nothing. `status` is None within a stream."""
    if status is not None and 300 <= status < 400:
        return faults.redirected(status, provider_id=provider_id, request_id=request_id)
    told: Mapping[str, Any] = body if isinstance(body, Mapping) else {"message": body}
    native = [word for word in (told.get("code"), told.get("type"), told.get("detail")) if isinstance(word, str)]
    words = told.get("message", told.get("detail"))
    code = _code(native, status or _number(told.get("code")), words if isinstance(words, str) else "")
    wait = faults.retry_after(headers or {})
    return failed(
        provider_id,
        code,
        words,
        status=status,
        detail=_DETAILS.get(native[0]) if native else None,
        request_id=request_id,
        retry_after=_told_wait(words) if wait is None and code is ErrorCode.RATE_LIMITED else wait,
    )


def _code(native: list[str], status: int | None, words: str) -> ErrorCode:
    for word in native:
        if word in _BY_CODE:
            return _BY_CODE[word]
    for statuses, pattern, code in _BY_WORDS:
        if status in statuses and pattern.search(words):
            return code
    if status is None or status >= 500:
        return _BY_STATUS.get(status or 0, ErrorCode.PROVIDER_UNAVAILABLE)
    return _BY_STATUS.get(status, ErrorCode.INVALID_REQUEST)


def _number(value: object) -> int | None:
    """Some servers write the status where OpenAI writes a word."""
    return value if isinstance(value, int) and 400 <= value < 600 else None


def _told_wait(words: object) -> float | None:
    """In a stream there is no header; the sentence says it."""
    if isinstance(words, str) and (found := _TRY_AGAIN.search(words)):
        return faults.bounded(float(found[1]) / (1000 if found[2].lower() == "ms" else 1))
    return None
