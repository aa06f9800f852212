"""No handler, traceback or error report shows a secret."""

import io
import logging
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory
from django.views.debug import ExceptionReporter, get_exception_reporter_class
from uvicorn.logging import AccessFormatter

from project.logging import (
    ClosedExceptionFilter,
    RedactingFilter,
    RedactingFormatter,
    configuration,
    guard_handlers,
    guard_uncaught,
)

SESSION = "the-session-of-somebody"
KEY = "sk-proj-" + "Zq8".ljust(40, "x")


@pytest.fixture
def lines() -> Any:
    """A logger with a handler as every handler is configured, and what it wrote."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(message)s"))
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("tests.redaction")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, stream
    logger.removeHandler(handler)


def test_every_handler_redacts() -> None:
    for handler in configuration("INFO")["handlers"].values():
        assert handler["filters"] == ["redact"]
        assert handler["formatter"] == "line"


def test_a_key_in_the_message_or_its_arguments_is_masked(lines: Any) -> None:
    logger, stream = lines
    logger.warning("refused %s", KEY)
    logger.warning(f"refused {KEY}")  # noqa: G004 - what careless code does
    logger.warning("headers %r", {"authorization": f"Bearer {KEY}"})
    assert KEY not in stream.getvalue()
    assert stream.getvalue().count("WARNING") == 3


def test_a_key_in_a_traceback_is_masked(lines: Any) -> None:
    logger, stream = lines
    try:
        raise ValueError(f"vendor said: wrong key {KEY}")
    except ValueError:
        logger.exception("a call failed")
    assert "ValueError: vendor said" in stream.getvalue()
    assert KEY not in stream.getvalue()


def test_the_installations_own_secrets_are_masked(lines: Any) -> None:
    logger, stream = lines
    ring_key = django_settings.FIELD_KEYRING.partition(":")[2]
    logger.error("settings: %s %s", django_settings.SECRET_KEY, ring_key)
    assert django_settings.SECRET_KEY not in stream.getvalue()
    assert ring_key not in stream.getvalue()


def test_a_log_call_that_does_not_fit_loses_its_arguments_not_its_caller(lines: Any) -> None:
    logger, stream = lines
    logger.warning("two %s %s", KEY)  # noqa: PLE1206 - what careless code does
    assert KEY not in stream.getvalue()
    assert "WARNING" in stream.getvalue()


def test_handlers_that_a_server_brought_are_taken_in() -> None:
    """uvicorn writes access lines and tracebacks with its own formatters, which need the record as it was made."""
    stream, logger = io.StringIO(), logging.getLogger("tests.of_a_server")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(AccessFormatter("%(client_addr)s %(request_line)s %(status_code)s", use_colors=False))
    logger.addHandler(handler)
    logger.propagate = False
    try:
        guard_handlers()
        guard_handlers()
        logger.warning('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", f"/?key={KEY}", "1.1", 200)
    finally:
        logger.removeHandler(handler)
    assert KEY not in stream.getvalue()
    assert "127.0.0.1:1 GET /?key=******** HTTP/1.1 200" in stream.getvalue()


def test_an_error_report_masks_what_the_exception_says_and_the_session(settings: Any) -> None:
    request = RequestFactory().get("/")
    request.COOKIES = {settings.SESSION_COOKIE_NAME: SESSION}
    try:
        raise ValueError(f"the vendor says {KEY} is wrong")
    except ValueError:
        reporter = get_exception_reporter_class(request)(request, *sys.exc_info())
    for text in (reporter.get_traceback_text(), reporter.get_traceback_html()):
        assert "the vendor says" in text
        assert KEY not in text
        assert SESSION not in text


def test_what_nobody_caught_is_printed_masked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    guard_uncaught()
    try:
        raise RuntimeError(KEY)
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)
    printed = capsys.readouterr().err
    assert "RuntimeError" in printed
    assert KEY not in printed


def test_an_error_report_closes_frames_near_secrets_and_what_was_posted() -> None:
    from accounts import keyring

    request = RequestFactory().post("/settings/providers/", {"secret": KEY})
    request.exception_reporter_filter = ClosedExceptionFilter()
    try:
        keyring.decrypt(f"k9${KEY}")
    except keyring.DecryptionFailed:
        report = ExceptionReporter(request, *sys.exc_info()).get_traceback_text()
        html = ExceptionReporter(request, *sys.exc_info()).get_traceback_html()
    for text in (report, html):
        assert "DecryptionFailed" in text
        assert KEY not in text
        assert django_settings.FIELD_KEYRING not in text
        assert django_settings.SECRET_KEY not in text
