"""What Mistral's errors mean; no SDK here."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from providers import faults
from providers.adapters.base import failed
from providers.errors import ErrorCode, ProviderError

# The vendor's own numbers and words, where the status says less.
_BY_WORD = {
    "1300": ErrorCode.RATE_LIMITED,
    "1500": ErrorCode.MODEL_NOT_FOUND,
    "3051": ErrorCode.CONTEXT_TOO_LONG,
    "3505": ErrorCode.RATE_LIMITED,
    "invalid_model": ErrorCode.MODEL_NOT_FOUND,
    "rate_limited": ErrorCode.RATE_LIMITED,
    "service_tier_capacity_exceeded": ErrorCode.RATE_LIMITED,
}
_BY_STATUS = {
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
_BY_PROSE: tuple[tuple[frozenset[int], re.Pattern[str], ErrorCode], ...] = (
    (
        frozenset({400, 422}),
        re.compile(r"too large for model|maximum context|context length", re.IGNORECASE),
        ErrorCode.CONTEXT_TOO_LONG,
    ),
    (frozenset({400, 404, 422}), re.compile(r"invalid model", re.IGNORECASE), ErrorCode.MODEL_NOT_FOUND),
    (frozenset({403}), re.compile(r"guardrail|moderation", re.IGNORECASE), ErrorCode.CONTENT_BLOCKED),
    (frozenset({429}), re.compile(r"\bquota\b|monthly|billing|credits", re.IGNORECASE), ErrorCode.QUOTA_EXCEEDED),
)


def request_id(headers: Mapping[str, str]) -> str | None:
    return headers.get("mistral-correlation-id") or headers.get("x-kong-request-id")


def described(body: Mapping[str, Any]) -> bool:
    """Whether a vendor's object speaks of an error."""
    return body.get("object") == "error" or any(body.get(name) for name in ("error", "detail", "message"))


def parsed(text: str) -> object:
    """The JSON of an error's body, or its text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def failure(
    provider_id: str,
    body: object,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> ProviderError:
    """The error that `body` describes: an error object, one within another, its text, or nothing. `status` is None
    within a stream; the body may tell it."""
    if status is not None and 300 <= status < 400:
        return faults.redirected(status, provider_id=provider_id, request_id=request_id)
    told: Mapping[str, Any] = body if isinstance(body, Mapping) else {"message": body}
    if isinstance(inner := told.get("error"), Mapping | str):
        told = inner if isinstance(inner, Mapping) else {**told, "message": inner}
    words = "; ".join(_sentences(told.get("message", told.get("detail")))) or None
    meant = status or _status(told)
    code = _code([str(told[name]) for name in ("code", "type") if told.get(name)], meant, words or "")
    return failed(
        provider_id,
        code,
        words,
        status=status,
        detail="overloaded" if meant == 503 or str(told.get("code")) == "3505" else None,
        request_id=request_id,
        retry_after=faults.retry_after(headers or {}),
    )


def _code(native: list[str], status: int | None, words: str) -> ErrorCode:
    for word in native:
        if word in _BY_WORD:
            return _BY_WORD[word]
    for statuses, pattern, code in _BY_PROSE:
        if status in statuses and pattern.search(words):
            return code
    if status is None or status >= 500:
        return _BY_STATUS.get(status or 0, ErrorCode.PROVIDER_UNAVAILABLE)
    return _BY_STATUS.get(status, ErrorCode.INVALID_REQUEST if status >= 400 else ErrorCode.PROVIDER_UNAVAILABLE)


def _status(told: Mapping[str, Any]) -> int | None:
    value = told.get("raw_status_code")
    return value if isinstance(value, int) and 400 <= value < 600 else None


def _sentences(told: object) -> Iterator[str]:
    """A message is a sentence, or the list of what a validator found: `{"loc": ["body", "top_p"], "msg": "…"}`."""
    if isinstance(told, str):
        yield told
    elif isinstance(told, Mapping):
        if isinstance(said := told.get("msg"), str):
            place = ".".join(str(step) for step in told.get("loc") or () if step != "body")
            yield f"{place}: {said}" if place else said
        else:
            yield from _sentences(told.get("detail", told.get("message")))
    elif isinstance(told, list):
        for one in told[:5]:
            yield from _sentences(one)
