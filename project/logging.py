"""Logs and error reports that cannot show a secret."""

import logging

from django.views.debug import SafeExceptionReporterFilter


class RedactingFilter(logging.Filter):
    pass


class RedactingFormatter(logging.Formatter):
    pass


class ClosedExceptionFilter(SafeExceptionReporterFilter):
    pass
