"""One failure, three wires, the same error: its code, whether content had come, and nothing that must not be shown."""

import json
from dataclasses import replace

import httpx2
import pytest

from providers.errors import ErrorCode, ProviderError
from providers.events import StreamEvent, TextDelta
from tests.contract.answers import Answer
from tests.contract.dialects import HURRIED, SECRET, Dialect, asked, plugged, speaking
from tests.contract.wire import HANG, Script, plays

pytestmark = pytest.mark.anyio

CODES = {
    "bad_key": ErrorCode.INVALID_AUTH,
    "forbidden": ErrorCode.PERMISSION_DENIED,
    "rate_limited": ErrorCode.RATE_LIMITED,
    "quota": ErrorCode.QUOTA_EXCEEDED,
    "too_long": ErrorCode.CONTEXT_TOO_LONG,
    "not_found": ErrorCode.MODEL_NOT_FOUND,
    "invalid": ErrorCode.INVALID_REQUEST,
    "server_error": ErrorCode.PROVIDER_UNAVAILABLE,
    "overloaded": ErrorCode.PROVIDER_UNAVAILABLE,
}


def refusal(dialect: Dialect, case: str) -> Script:
    status, body, headers = dialect.wire.ERRORS[case]
    return Script((json.dumps(body).encode(),), status, {"content-type": "application/json", **headers})


@pytest.mark.parametrize("case", CODES)
async def test_a_refusal_has_its_code(dialect: Dialect, case: str) -> None:
    with plugged(refusal(dialect, case)) as wire:
        error = await dialect.fails(asked())
    assert error.code is CODES[case]
    assert error.status == dialect.wire.ERRORS[case][0]
    assert not error.partial
    assert error.provider_id == dialect.provider_id
    assert len(wire.requests) == 1, "an SDK tried again by itself"
    assert wire.open == 0


async def test_a_rate_limit_says_when_to_come_back(dialect: Dialect) -> None:
    with plugged(refusal(dialect, "rate_limited")):
        assert (await dialect.fails(asked())).retry_after == 7.0


@speaking("openai", "anthropic", "mistral", "openai_compatible")
async def test_the_vendors_request_id_is_kept(dialect: Dialect) -> None:
    with plugged(refusal(dialect, "server_error")):
        assert (await dialect.fails(asked())).request_id == "req_1"


async def test_a_refused_key_is_never_explained_in_the_vendors_words(dialect: Dialect) -> None:
    with plugged(refusal(dialect, "bad_key")):
        error = await dialect.fails(asked())
    assert error.message == "The provider did not accept the key."


async def test_a_refused_session_has_to_be_renewed_and_a_refused_key_replaced(dialect: Dialect) -> None:
    with plugged(refusal(dialect, "bad_key")):
        error = await dialect.fails(asked(), dialect.credential(kind="session"))
    assert (error.code, error.message) == (ErrorCode.SESSION_EXPIRED, "The session with the provider has expired.")


async def test_a_key_echoed_by_the_vendor_is_not_passed_on(dialect: Dialect) -> None:
    told = f"Failed for {SECRET}; Bearer abcdef0123456789; {'x' * 900}"
    body = {"error": {"code": 400, "status": "FAILED_PRECONDITION", "message": told, "type": "invalid_request_error"}}
    with plugged(Script((json.dumps(body).encode(),), 400)):
        error = await dialect.fails(asked())
    assert error.code is ErrorCode.INVALID_REQUEST
    assert "Failed for" in error.message
    assert SECRET not in str(error)
    assert "abcdef0123456789" not in error.message
    assert len(error.message) <= 500
    assert error.__cause__ is None
    assert error.__suppress_context__


async def test_a_plain_gateway_error_page_is_not_shown(dialect: Dialect) -> None:
    with plugged(Script((b"<html><h1>502 Bad Gateway</h1></html>",), 502, {"content-type": "text/html"})):
        error = await dialect.fails(asked())
    assert error.code is ErrorCode.PROVIDER_UNAVAILABLE
    assert "html" not in error.message


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"error":"down"}', b'{"error":{"message":7}}', b"\xff\xfe"])
async def test_an_error_body_of_any_shape_is_survived(dialect: Dialect, body: bytes) -> None:
    with plugged(Script((body,), 500)):
        assert (await dialect.fails(asked())).code is ErrorCode.PROVIDER_UNAVAILABLE


async def test_a_redirect_is_never_followed(dialect: Dialect) -> None:
    with plugged(Script((), 307, {"location": "https://elsewhere.test/steal"})) as wire:
        error = await dialect.fails(asked())
    assert (error.code, error.detail) == (ErrorCode.INVALID_REQUEST, "redirected")
    assert [request.url.host for request in wire.requests] == ["vendor.test"]


@pytest.mark.parametrize(
    ("failure", "code", "detail"),
    [
        (httpx2.ConnectError("refused"), ErrorCode.PROVIDER_UNAVAILABLE, "connect_failed"),
        (httpx2.ConnectTimeout("slow"), ErrorCode.TIMEOUT, "connect"),
        (httpx2.ReadTimeout("slow"), ErrorCode.TIMEOUT, "read"),
        (httpx2.PoolTimeout("full"), ErrorCode.PROVIDER_UNAVAILABLE, "pool_exhausted"),
        (httpx2.RemoteProtocolError("gone"), ErrorCode.PROVIDER_UNAVAILABLE, "stream_dropped"),
    ],
)
async def test_a_failed_connection_is_named(dialect: Dialect, failure: Exception, code: ErrorCode, detail: str) -> None:
    with plugged(failure) as wire:
        error = await dialect.fails(asked())
    assert (error.code, error.detail, error.partial) == (code, detail, False)
    assert len(wire.requests) == 1


async def test_silence_before_the_first_event_times_out(dialect: Dialect) -> None:
    with plugged(Script(silent=True)):
        error = await dialect.fails(asked(deadlines=HURRIED))
    assert (error.code, error.detail, error.partial) == (ErrorCode.TIMEOUT, "first_event", False)


HALF = Answer(text=("half an ans",), terminal=False)
BREAKS: list[tuple[str, object, ErrorCode, str]] = [
    ("hang", HANG, ErrorCode.TIMEOUT, "idle"),
    ("dropped", httpx2.RemoteProtocolError("gone"), ErrorCode.PROVIDER_UNAVAILABLE, "stream_dropped"),
    ("read timeout", httpx2.ReadTimeout("slow"), ErrorCode.TIMEOUT, "read"),
    ("cut", b"", ErrorCode.PROVIDER_UNAVAILABLE, "stream_truncated"),
    ("cut in an event", b'data: {"type":"response.outp', ErrorCode.PROVIDER_UNAVAILABLE, "stream_truncated"),
    ("garbage", b"data: {nonsense\n\n", ErrorCode.PROVIDER_UNAVAILABLE, "bad_payload"),
    ("another shape", b'data: ["a list"]\n\n', ErrorCode.PROVIDER_UNAVAILABLE, "bad_payload"),
    ("oversized", b"data: " + b"x" * 9_000_000, ErrorCode.PROVIDER_UNAVAILABLE, "bad_payload"),
    (
        "no JSON number",
        b'data: {"choices":7,"candidates":7,"type":7}\n\n',
        ErrorCode.PROVIDER_UNAVAILABLE,
        "bad_payload",
    ),
]


@pytest.mark.parametrize(("step", "code", "detail"), [case[1:] for case in BREAKS], ids=[case[0] for case in BREAKS])
async def test_a_stream_that_breaks_is_never_called_a_success(
    dialect: Dialect, step: object, code: ErrorCode, detail: str
) -> None:
    seen: list[StreamEvent] = []
    with plugged(plays(dialect.wire.render(HALF), step)) as wire:
        with pytest.raises(ProviderError) as caught:
            await dialect.read(asked(deadlines=replace(HURRIED, first_event=5)), into=seen)
        assert (caught.value.code, caught.value.detail, caught.value.partial) == (code, detail, True)
        assert [event.text for event in seen if isinstance(event, TextDelta)] == ["half an ans"]
        assert wire.open == 0


@pytest.mark.parametrize("case", ["rate_limited", "server_error", "overloaded", "too_long"])
async def test_an_error_inside_a_stream_is_that_error(dialect: Dialect, case: str) -> None:
    with plugged(plays(dialect.wire.render(HALF) + dialect.wire.stream_error(case))):
        error = await dialect.fails(asked())
    assert (error.code, error.partial) == (CODES[case], True)


@speaking("openai")
async def test_a_failed_response_is_an_error(dialect: Dialect) -> None:
    failed = {"type": "response.failed", "response": {"status": "failed", "error": {"code": "rate_limit_exceeded"}}}
    with plugged(plays(f"data: {json.dumps(failed)}\n\n".encode())):
        assert (await dialect.fails(asked())).code is ErrorCode.RATE_LIMITED


@speaking("gemini")
async def test_a_blocked_prompt_is_an_error(dialect: Dialect) -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "responseId": "r"}
    with plugged(plays(f"data: {json.dumps(blocked)}\r\n\r\n".encode())):
        error = await dialect.fails(asked())
    assert (error.code, error.detail) == (ErrorCode.CONTENT_BLOCKED, "prohibited_content")


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        ("", ErrorCode.MISSING_AUTH),
        ("  \n", ErrorCode.MISSING_AUTH),
        ("sk-a\nb", ErrorCode.INVALID_AUTH),
        (" sk-padded", ErrorCode.INVALID_AUTH),
        ("sk-ключ", ErrorCode.INVALID_AUTH),
        ("sk-\x00", ErrorCode.INVALID_AUTH),
    ],
)
async def test_a_key_that_fits_no_header_never_leaves(dialect: Dialect, secret: str, code: ErrorCode) -> None:
    with plugged(plays(b"")) as wire:
        error = await dialect.fails(asked(), dialect.credential(secret))
        check = await dialect.runtime.validate_credential(dialect.credential(secret))
    assert error.code is code
    assert check.error is not None
    assert check.error.code is code
    assert wire.requests == []
