"""What of a vendor's words may be shown, when to come back, and what a broken connection is called."""

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import faults
from providers.errors import ErrorCode, ProviderError
from providers.secrets import Secret


@pytest.mark.parametrize(
    "key",
    [
        "sk-abc***xyz",
        "sk-proj-abcdefghijklmnop",
        "AIzaSyD-abcdefghijk",
        "AQ.Ab8RN6abcdef",
        "Bearer abc.def-ghi",
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln",
    ],
)
def test_whatever_looks_like_a_key_is_masked(key: str) -> None:
    shown = faults.shown(ErrorCode.INVALID_REQUEST, f"The key {key} may not do that")
    assert shown.startswith("The key ")
    assert key.rsplit(" ", maxsplit=1)[-1] not in shown
    assert shown.endswith("may not do that")


@pytest.mark.parametrize("words", [None, "", "  ", 7, {"a": 1}, "<!doctype html><p>Bad Gateway"])
def test_without_words_of_the_vendor_there_are_ours(words: object) -> None:
    assert faults.shown(ErrorCode.RATE_LIMITED, words) == "The provider is limiting requests."


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "999999"}, 3600.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert faults.retry_after(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < (faults.retry_after({"retry-after": soon}) or 0) <= 60


@given(st.text(max_size=40))
def test_no_header_breaks_the_reading(value: str) -> None:
    seconds = faults.retry_after({"retry-after": value})
    assert seconds is None or 0 <= seconds <= 3600


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (httpx2.UnsupportedProtocol("ftp"), ErrorCode.INVALID_REQUEST, "bad_address"),
        (httpx2.InvalidURL("no"), ErrorCode.INVALID_REQUEST, "bad_address"),
        (httpx2.WriteTimeout("slow"), ErrorCode.TIMEOUT, "read"),
        (httpx2.DecodingError("gzip"), ErrorCode.PROVIDER_UNAVAILABLE, "bad_payload"),
        (ssl.SSLError("certificate"), ErrorCode.PROVIDER_UNAVAILABLE, "stream_dropped"),
        (anyio.EndOfStream(), ErrorCode.PROVIDER_UNAVAILABLE, "stream_dropped"),
        (ConnectionResetError(), ErrorCode.PROVIDER_UNAVAILABLE, "stream_dropped"),
        (TimeoutError(), ErrorCode.TIMEOUT, "total"),
        (ZeroDivisionError(), ErrorCode.PROVIDER_UNAVAILABLE, "unexpected"),
    ],
)
def test_what_breaks_below_an_sdk_has_a_name(error: Exception, code: ErrorCode, detail: str) -> None:
    named = faults.local(error, provider_id="test")
    assert (named.code, named.detail) == (code, detail)


def test_the_secret_of_the_call_is_taken_out_whatever_its_shape() -> None:
    error = ProviderError(ErrorCode.INVALID_REQUEST, "I got plain-word-secret from you", provider_id="test")
    clean = faults.without_secret(error, Secret("plain-word-secret"))
    assert "plain-word-secret" not in f"{clean} {clean.message} {clean!r}"
