"""Logs and error reports that cannot show a secret: every handler, every traceback, every uncaught exception."""

import logging
import re
import sys
import threading
import traceback
from collections.abc import ItemsView
from functools import cache
from types import FrameType, TracebackType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from providers.redaction import scrub
from providers.secrets import MASK

# Whoever handles a secret in these packages does so in local variables.
CLOSED_PACKAGES = frozenset({"accounts", "providers", "encrypted_fields", "allauth", "cryptography"})
VENDOR_PACKAGES = frozenset({"openai", "anthropic", "google", "mistralai", "httpx2", "httpcore2"})
TALKATIVE = ("httpx2", "httpcore2", "openai", "anthropic", "google_genai", "mistralai", "daphne", "asyncio")


def configuration(level: str) -> dict[str, Any]:
    """The LOGGING setting: one handler on standard error, redacted twice."""
    redacting = {
        "()": "project.logging.RedactingFormatter",
        "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"redact": {"()": "project.logging.RedactingFilter"}},
        "formatters": {"line": redacting},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": "WARNING"} for name in (*TALKATIVE, "django.server")}
        # Named without handlers, Django's own ones go: one of them mails reports.
        | {"django": {"level": "INFO"}},
    }


@cache
def own_secrets() -> tuple[str, ...]:
    """The values that this installation was started with, longest first; none may ever be printed."""
    ring = [entry.partition(":")[2] for entry in settings.FIELD_KEYRING.split(",")]
    passwords = [
        urlsplit(url).password or "" for url in (settings.DATABASE_URL, settings.REDIS_URL, settings.EMAIL_URL)
    ]
    named = [settings.SECRET_KEY, settings.FINGERPRINT_PEPPER, *settings.PROVIDER_KEYS.values()]
    return tuple(sorted({value for value in [*ring, *passwords, *named] if len(value) >= 8}, key=len, reverse=True))


def safe(text: str) -> str:
    for value in own_secrets():
        text = text.replace(value, MASK)
    return scrub(text)


class RedactingFilter(logging.Filter):
    """Rewrites the record itself, so that handlers of other people see nothing either."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = "a log call whose arguments do not fit its message"
        record.msg, record.args = safe(message), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = safe("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = safe(record.exc_text)
        return True


class RedactingFormatter(logging.Formatter):
    """Has the last word on the whole line, extra fields and stack included."""

    def format(self, record: logging.LogRecord) -> str:
        return safe(super().format(record))


class RedactedFormat(logging.Formatter):
    """What another formatter makes of a record, redacted: for handlers that a server brought along."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return safe(self.inner.format(record))


def guard_handlers() -> None:
    """Take in the handlers that were there before our configuration: an ASGI server writes tracebacks with its own."""
    known = [logging.root, *logging.root.manager.loggerDict.values()]
    for handler in {one for logger in known if isinstance(logger, logging.Logger) for one in logger.handlers}:
        if not isinstance(handler.formatter, RedactingFormatter | RedactedFormat):
            handler.setFormatter(RedactedFormat(handler.formatter or logging.Formatter()))


class RedactedReporter(ExceptionReporter):
    """Error reports, in mails and on pages: whatever an exception says, its keys are masked."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(safe(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(safe(super().get_traceback_text()))


class ClosedExceptionFilter(SafeExceptionReporterFilter):
    """Error reports name the frames; what frames near secrets held, what was posted and how we are set up stay out."""

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|PEPPER|URL|DATABASES|CACHES|CHANNEL_LAYERS", re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request else {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        package = str(tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in CLOSED_PACKAGES | VENDOR_PACKAGES:
            return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()
        return super().get_traceback_frame_variables(request, tb_frame)


def guard_uncaught() -> None:
    """Print what nobody caught the same way, in the main thread and in every other."""
    sys.excepthook = _print_safely
    threading.excepthook = lambda args: _print_safely(args.exc_type, args.exc_value, args.exc_traceback)


def _print_safely(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None, /) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    sys.stderr.write(safe("".join(traceback.format_exception(kind, error, trace))))
