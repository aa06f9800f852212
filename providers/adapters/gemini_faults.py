"""What Gemini's errors mean; no SDK here."""

import re

import msgspec

from providers import faults
from providers.adapters.base import failed
from providers.adapters.gemini_shapes import Error
from providers.errors import ErrorCode, ProviderError

_BY_REASON = {
    # The vendor answers 400 to a key that does not exist.
    "API_KEY_INVALID": ErrorCode.INVALID_AUTH,
    "API_KEY_EXPIRED": ErrorCode.INVALID_AUTH,
    "API_KEY_SERVICE_BLOCKED": ErrorCode.INVALID_AUTH,
    "CONSUMER_SUSPENDED": ErrorCode.INVALID_AUTH,
}
_BY_STATUS_WORD = {
    "UNAUTHENTICATED": ErrorCode.INVALID_AUTH,
    "PERMISSION_DENIED": ErrorCode.PERMISSION_DENIED,
    "NOT_FOUND": ErrorCode.MODEL_NOT_FOUND,
    "RESOURCE_EXHAUSTED": ErrorCode.RATE_LIMITED,
    "DEADLINE_EXCEEDED": ErrorCode.TIMEOUT,
    "CANCELLED": ErrorCode.TIMEOUT,
    "INTERNAL": ErrorCode.PROVIDER_UNAVAILABLE,
    "UNAVAILABLE": ErrorCode.PROVIDER_UNAVAILABLE,
}
_BY_STATUS = {
    401: ErrorCode.INVALID_AUTH,
    403: ErrorCode.PERMISSION_DENIED,
    404: ErrorCode.MODEL_NOT_FOUND,
    408: ErrorCode.TIMEOUT,
    413: ErrorCode.CONTEXT_TOO_LONG,
    429: ErrorCode.RATE_LIMITED,
    499: ErrorCode.TIMEOUT,
    504: ErrorCode.TIMEOUT,
}
# Prose, only where the status leaves it open.
_BY_WORDS: tuple[tuple[frozenset[str], re.Pattern[str], ErrorCode], ...] = (
    (
        frozenset({"INVALID_ARGUMENT"}),
        re.compile(r"API key (not valid|expired)", re.IGNORECASE),
        ErrorCode.INVALID_AUTH,
    ),
    (
        frozenset({"INVALID_ARGUMENT"}),
        re.compile(r"token count.{0,80}exceeds|exceeds the maximum number of tokens", re.IGNORECASE),
        ErrorCode.CONTEXT_TOO_LONG,
    ),
    (
        frozenset({"FAILED_PRECONDITION"}),
        re.compile(r"location is not supported", re.IGNORECASE),
        ErrorCode.PERMISSION_DENIED,
    ),
    (
        frozenset({"FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"}),
        re.compile(r"billing account|enable billing|credits are depleted", re.IGNORECASE),
        ErrorCode.QUOTA_EXCEEDED,
    ),
)


def failure(body: object, *, status: int | None, provider_id: str, request_id: str | None = None) -> ProviderError:
    """The error that `body` (the vendor's `error` object, or anything else) describes."""
    if status is not None and 300 <= status < 400:
        return faults.redirected(status, provider_id=provider_id, request_id=request_id)
    try:
        error = msgspec.convert(body, Error)
    except msgspec.ValidationError:
        error = Error()
    status = error.code or status
    code = _code(error, status)
    return failed(
        provider_id,
        code,
        error.message,
        status=status,
        detail="overloaded" if error.status == "UNAVAILABLE" else None,
        request_id=request_id,
        retry_after=_wait(error),
    )


def _code(error: Error, status: int | None) -> ErrorCode:
    for detail in error.details or ():
        if detail.reason in _BY_REASON:
            return _BY_REASON[detail.reason]
    if _used_up_for_today(error):
        return ErrorCode.QUOTA_EXCEEDED
    for words, pattern, code in _BY_WORDS:
        if error.status in words and pattern.search(error.message or ""):
            return code
    if error.status in _BY_STATUS_WORD:
        return _BY_STATUS_WORD[error.status]
    if status is None or status >= 500:
        return _BY_STATUS.get(status or 0, ErrorCode.PROVIDER_UNAVAILABLE)
    return _BY_STATUS.get(status, ErrorCode.INVALID_REQUEST)


def _used_up_for_today(error: Error) -> bool:
    if error.status != "RESOURCE_EXHAUSTED":
        return False
    violations = (violation for detail in error.details or () for violation in detail.violations or ())
    return any("PerDay" in str(violation.get("quotaId", "")) for violation in violations)


def _wait(error: Error) -> float | None:
    """There is no header: RetryInfo says it, as `14s`."""
    for detail in error.details or ():
        if detail.retry_delay and (seconds := faults.seconds_of(detail.retry_delay)) is not None:
            return faults.bounded(seconds)
    return None
