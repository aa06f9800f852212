"""From what went wrong below an SDK to a `ProviderError`, and what of a vendor's words may be shown."""

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import anyio
import httpx2

from providers.errors import ErrorCode, ProviderError
from providers.reach import NotPublic
from providers.redaction import scrub
from providers.secrets import MASK, Secret

UNEXPECTED = "unexpected"
LONGEST_MESSAGE = 500
LONGEST_WAIT_SECONDS = 3600.0
SHORTEST_SECRET = 6

# Beyond whole keys: vendors echo masked ones, and gateways hand out tokens of their own.
_KEY_LIKE = re.compile(
    r"\bsk-[\w*.…-]{4,}|\bAIza[\w*.…-]{4,}|\bAQ\.[\w*.…-]{4,}|(?i:\bbearer\s+)[\w*.…~+/=-]{4,}"
    r"|\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"
)
_BLANK = re.compile(r"\s+")

# What a person reads when a vendor's own words must not, or cannot, be shown.
WORDS: dict[ErrorCode, str] = {
    ErrorCode.MISSING_AUTH: "There is no key for this provider.",
    ErrorCode.INVALID_AUTH: "The provider did not accept the key.",
    ErrorCode.SESSION_EXPIRED: "The session with the provider has expired.",
    ErrorCode.PERMISSION_DENIED: "The provider does not allow this key to do that.",
    ErrorCode.RATE_LIMITED: "The provider is limiting requests.",
    ErrorCode.QUOTA_EXCEEDED: "The account behind this key has no quota left.",
    ErrorCode.CONTEXT_TOO_LONG: "The conversation is longer than the model can read.",
    ErrorCode.CONTENT_BLOCKED: "The provider's filter stopped the request.",
    ErrorCode.MODEL_NOT_FOUND: "The provider does not know this model.",
    ErrorCode.INVALID_REQUEST: "The provider could not read the request.",
    ErrorCode.PROVIDER_UNAVAILABLE: "The provider is not working as it should.",
    ErrorCode.TIMEOUT: "The provider took too long.",
}
_UNQUOTED = frozenset({ErrorCode.MISSING_AUTH, ErrorCode.INVALID_AUTH, ErrorCode.SESSION_EXPIRED})


def shown(code: ErrorCode, vendor_words: object) -> str:
    """A message for `code`: the vendor's words, scrubbed and capped, or ours for auth errors and for no words."""
    if code in _UNQUOTED or not isinstance(vendor_words, str) or vendor_words.lstrip().startswith("<"):
        return WORDS[code]
    return without_keys(vendor_words)[:LONGEST_MESSAGE] or WORDS[code]


def without_keys(text: str) -> str:
    return _KEY_LIKE.sub(MASK, scrub(_BLANK.sub(" ", text[:4000]).strip()))


def without_secret(error: ProviderError, secret: Secret) -> ProviderError:
    """The same error with no trace of the secret of this very call, whatever its shape."""
    value = secret.reveal()
    if len(value) >= SHORTEST_SECRET and value in error.message:
        error.message = error.message.replace(value, MASK)
        error.args = (error.message,)
    return error


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms` or `retry-after` (seconds or an HTTP date), between 0 and an hour."""
    for name, divisor in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value:
            seconds = seconds_of(value) if name == "retry-after-ms" else _seconds_or_date(value)
            if seconds is not None:
                return bounded(seconds / divisor)
    return None


def bounded(seconds: float) -> float:
    return max(0.0, min(seconds, LONGEST_WAIT_SECONDS))


def seconds_of(value: str) -> float | None:
    """`14`, `1.5` or `14s` as seconds; None for anything else."""
    return float(value.strip().removesuffix("s")) if re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?s?\s*", value) else None


def _seconds_or_date(value: str) -> float | None:
    seconds = seconds_of(value)
    if seconds is not None:
        return seconds
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


# (exception, code, detail), the first that fits. The order matters: a timeout is a transport error too.
_LOCAL: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], ErrorCode, str], ...] = (
    (httpx2.PoolTimeout, ErrorCode.PROVIDER_UNAVAILABLE, "pool_exhausted"),
    (httpx2.ConnectTimeout, ErrorCode.TIMEOUT, "connect"),
    (httpx2.TimeoutException, ErrorCode.TIMEOUT, "read"),
    (httpx2.ConnectError, ErrorCode.PROVIDER_UNAVAILABLE, "connect_failed"),
    ((httpx2.UnsupportedProtocol, httpx2.InvalidURL), ErrorCode.INVALID_REQUEST, "bad_address"),
    (NotPublic, ErrorCode.INVALID_REQUEST, "private_address"),
    (httpx2.DecodingError, ErrorCode.PROVIDER_UNAVAILABLE, "bad_payload"),
    (httpx2.HTTPError, ErrorCode.PROVIDER_UNAVAILABLE, "stream_dropped"),
    (TimeoutError, ErrorCode.TIMEOUT, "total"),
    # TLS errors and closed streams that the transport does not translate.
    ((ssl.SSLError, anyio.BrokenResourceError, anyio.EndOfStream), ErrorCode.PROVIDER_UNAVAILABLE, "stream_dropped"),
    (OSError, ErrorCode.PROVIDER_UNAVAILABLE, "stream_dropped"),
    # msgspec's, the standard library's and the SDKs' decoding errors are all ValueErrors.
    (ValueError, ErrorCode.PROVIDER_UNAVAILABLE, "bad_payload"),
)
_DETAILS = {
    "pool_exhausted": "Too many calls are open here; the provider was not asked.",
    "connect_failed": "The provider could not be reached.",
    "bad_address": "The provider's address is not a web address.",
    "private_address": "The provider's address leads into a private network, which this installation does not allow.",
    "bad_payload": "The provider sent something that is not an answer.",
    "stream_dropped": "The connection to the provider broke.",
    "redirected": "The provider's address leads elsewhere, and redirects are not followed.",
    "connect": "The provider could not be reached in time.",
}


def local(error: BaseException, *, provider_id: str, partial: bool = False) -> ProviderError:
    """What the transport or a decoder raised. What nobody foresaw has the detail `unexpected`."""
    code, detail = ErrorCode.PROVIDER_UNAVAILABLE, UNEXPECTED
    for kinds, known_code, known_detail in _LOCAL:
        if isinstance(error, kinds):
            code, detail = known_code, known_detail
            break
    message = _DETAILS.get(detail, WORDS[code])
    return ProviderError(code, message, provider_id=provider_id, detail=detail, partial=partial)


def redirected(status: int, *, provider_id: str, request_id: str | None = None) -> ProviderError:
    return ProviderError(
        ErrorCode.INVALID_REQUEST,
        _DETAILS["redirected"],
        provider_id=provider_id,
        status=status,
        detail="redirected",
        request_id=request_id,
    )
