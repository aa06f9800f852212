"""What Anthropic's errors mean; no SDK here."""

import re
from collections.abc import Mapping
from typing import Any

from providers import faults
from providers.adapters.base import failed
from providers.errors import ErrorCode, ProviderError

_INVALID = "invalid_request_error"
# `error.details.error_code` names the cause, `error.type` only its kind.
_BY_CODE = {
    "ramp_limit_exceeded": ErrorCode.RATE_LIMITED,
    "enforced_spend_limit_reached": ErrorCode.QUOTA_EXCEEDED,
    "contract_spend_limit_reached": ErrorCode.QUOTA_EXCEEDED,
    "linked_organization_spend_limit_reached": ErrorCode.QUOTA_EXCEEDED,
    "linked_organization_billing_unavailable": ErrorCode.QUOTA_EXCEEDED,
    "organization_on_hold": ErrorCode.PERMISSION_DENIED,
    "organization_type_not_supported": ErrorCode.PERMISSION_DENIED,
    "api_key_scope_missing": ErrorCode.PERMISSION_DENIED,
    "request_body_too_large_after_decoding": ErrorCode.CONTEXT_TOO_LONG,
}
_BY_TYPE = {
    "authentication_error": ErrorCode.INVALID_AUTH,
    "billing_error": ErrorCode.QUOTA_EXCEEDED,
    "permission_error": ErrorCode.PERMISSION_DENIED,
    "not_found_error": ErrorCode.MODEL_NOT_FOUND,
    "request_too_large": ErrorCode.CONTEXT_TOO_LONG,
    "rate_limit_error": ErrorCode.RATE_LIMITED,
    "timeout_error": ErrorCode.TIMEOUT,
    "api_error": ErrorCode.PROVIDER_UNAVAILABLE,
    "overloaded_error": ErrorCode.PROVIDER_UNAVAILABLE,
    "conflict_error": ErrorCode.INVALID_REQUEST,
}
_BY_STATUS = {
    401: ErrorCode.INVALID_AUTH,
    402: ErrorCode.QUOTA_EXCEEDED,
    403: ErrorCode.PERMISSION_DENIED,
    404: ErrorCode.MODEL_NOT_FOUND,
    408: ErrorCode.TIMEOUT,
    413: ErrorCode.CONTEXT_TOO_LONG,
    429: ErrorCode.RATE_LIMITED,
    499: ErrorCode.TIMEOUT,
    504: ErrorCode.TIMEOUT,
}
# Prose, only where the type leaves it open.
_BY_WORDS: tuple[tuple[str, re.Pattern[str], ErrorCode], ...] = (
    (
        _INVALID,
        re.compile(r"prompt is too long|exceeds? (the )?context (limit|window)", re.IGNORECASE),
        ErrorCode.CONTEXT_TOO_LONG,
    ),
    (_INVALID, re.compile(r"credit balance is too low", re.IGNORECASE), ErrorCode.QUOTA_EXCEEDED),
    (_INVALID, re.compile(r"blocked by content filtering", re.IGNORECASE), ErrorCode.CONTENT_BLOCKED),
    ("authentication_error", re.compile(r"token (has |is )?expired", re.IGNORECASE), ErrorCode.SESSION_EXPIRED),
    # An image may be too large in a short conversation.
    ("request_too_large", re.compile(r"\bimage\b", re.IGNORECASE), ErrorCode.INVALID_REQUEST),
)


def failure(
    provider_id: str,
    body: object,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> ProviderError:
    """The error that `body` describes: the vendor's envelope, or anything else. `status` is None within a stream."""
    if status is not None and 300 <= status < 400:
        return faults.redirected(status, provider_id=provider_id, request_id=request_id)
    envelope: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    inner = envelope.get("error", body)
    told: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {"message": inner}
    kind, words = told.get("type"), told.get("message")
    named = envelope.get("request_id")
    return failed(
        provider_id,
        _code(told, kind, status, words if isinstance(words, str) else ""),
        words,
        status=status,
        detail="overloaded" if kind == "overloaded_error" else None,
        request_id=request_id or (named if isinstance(named, str) else None),
        retry_after=faults.retry_after(headers or {}),
    )


def _code(told: Mapping[str, Any], kind: object, status: int | None, words: str) -> ErrorCode:
    details = told.get("details")
    cause = details.get("error_code") if isinstance(details, Mapping) else None
    if isinstance(cause, str) and cause in _BY_CODE:
        return _BY_CODE[cause]
    for name, pattern, code in _BY_WORDS:
        if kind == name and pattern.search(words):
            return code
    if isinstance(kind, str) and kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if status is not None and status < 500:
        return _BY_STATUS.get(status, ErrorCode.INVALID_REQUEST)
    if kind == _INVALID:
        return ErrorCode.INVALID_REQUEST
    return _BY_STATUS.get(status or 0, ErrorCode.PROVIDER_UNAVAILABLE)
