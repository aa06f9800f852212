"""Audit entries narrowed down and streamed out, as CSV or lines of JSON; who may read which is `audit.visible_to`."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async
from django.db.models import Q, QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from accounts.models import AuditEntry
from accounts.problems import Problem

COLUMNS = ("at", "action", "who", "target", "workspace_id", "ip", "data", "chain", "sequence", "digest")
AT_ONCE = 500
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def narrowed(rows: QuerySet[AuditEntry], wanted: Mapping[str, str]) -> QuerySet[AuditEntry]:
    """`action` (or how it begins, with a trailing dot), `who`, `target` (any part of it), `since` and `until`.

    Raises Problem 400 for a time that is none.
    """
    if action := wanted.get("action"):
        rows = rows.filter(action__startswith=action) if action.endswith(".") else rows.filter(action=action)
    if who := wanted.get("who"):
        rows = rows.filter(who__iexact=who)
    if target := wanted.get("target"):
        rows = rows.filter(target__icontains=target)
    if since := wanted.get("since"):
        rows = rows.filter(at__gte=_moment("since", since))
    if until := wanted.get("until"):
        rows = rows.filter(at__lt=_moment("until", until))
    return rows


def _moment(name: str, text: str) -> datetime:
    """A date means its first moment, in UTC."""
    try:
        day = parse_date(text)
        found = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001 - made aware below
    except ValueError:
        found = None
    if found is None:
        detail = f"{name} is a date or a time in ISO 8601, for example 2026-11-25 or 2026-11-25T08:00Z."
        raise Problem(400, "invalid_time", "This is no time.", detail)
    return found if timezone.is_aware(found) else timezone.make_aware(found)


# ---------------------------------------------------------------- out
def as_dict(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in COLUMNS}


def _csv(entries: Sequence[AuditEntry]) -> bytes:
    return _csv_lines([[_cell(value) for value in as_dict(entry).values()] for entry in entries])


def _csv_lines(lines: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    text = json.dumps(value, sort_keys=True) if isinstance(value, dict) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _json(entries: Sequence[AuditEntry]) -> bytes:
    return b"".join(json.dumps(as_dict(entry), default=_cell).encode() + b"\n" for entry in entries)


Kind = tuple[str, bytes, Callable[[Sequence[AuditEntry]], bytes]]
KINDS: dict[str, Kind] = {
    "csv": ("text/csv; charset=utf-8", _csv_lines([COLUMNS]), _csv),
    "json": ("application/x-ndjson", b"", _json),
}


def response(rows: QuerySet[AuditEntry], kind: str) -> StreamingHttpResponse:
    """The file, written while it is read: newest first, at most 500 entries in memory. Raises Problem 400."""
    if kind not in KINDS:
        raise Problem(400, "unknown_kind", "There is no such kind of file.", f"Choose one of {', '.join(KINDS)}.")
    mime, head, written = KINDS[kind]
    answer = StreamingHttpResponse(_stream(rows, head, written), content_type=mime)
    answer["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y-%m-%d}.{kind}"'
    return answer


async def _stream(
    rows: QuerySet[AuditEntry], head: bytes, written: Callable[[Sequence[AuditEntry]], bytes]
) -> AsyncIterator[bytes]:
    yield head
    before = Q()
    while entries := await _read(rows.filter(before).order_by("-pk")[:AT_ONCE]):
        yield written(entries)
        before = Q(pk__lt=entries[-1].pk)


@database_sync_to_async
def _read(rows: QuerySet[AuditEntry]) -> list[AuditEntry]:
    return list(rows)
