"""Text, tables and code, whatever their encoding; also how a text is told from anything else."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from chat.extraction.limits import Limits
from chat.extraction.refusals import Refused
from chat.extraction.telling import pages, parts

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 27}
LONGEST_LINE = 20_000


def decoded(data: bytes) -> str | None:
    """The text of these bytes, or None when they are none."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode(data, encoding)
    if any(byte in _CONTROLS for byte in data):
        return None
    text = _decode(data, "utf-8")
    return text if text is not None else _decode(data, "cp1252")


def _decode(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def extract(source: BinaryIO, limits: Limits) -> None:
    text = decoded(source.read())
    if text is None:
        raise Refused("damaged")
    if not text.strip():
        raise Refused("empty")
    pages(parts(_lines(text)), limits)


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        for start in range(0, len(line), LONGEST_LINE):
            yield line[start : start + LONGEST_LINE]
