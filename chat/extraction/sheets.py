"""Spreadsheets: a sheet is a page, a row a line, values as they were last computed."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from chat.extraction import packages
from chat.extraction.limits import Limits
from chat.extraction.refusals import Refused
from chat.extraction.telling import pages, say

MOST_CELLS = 500_000


def extract(source: BinaryIO, limits: Limits) -> None:
    from openpyxl.reader.excel import load_workbook  # noqa: PLC0415 - each kind of file loads its own parser
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    packages.check(source, limits)
    try:
        book = load_workbook(source, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, KeyError, ValueError, TypeError):
        raise Refused("damaged") from None
    say(total=len(book.worksheets))
    pages((_sheet(sheet, limits) for sheet in book.worksheets), limits)


def _sheet(sheet: Any, limits: Limits) -> str:
    """A sheet may claim to be a million rows wide and high: only what is written counts."""
    sheet.reset_dimensions()
    return "\n".join([f"{sheet.title}", *_rows(sheet, limits)])


def _rows(sheet: Any, limits: Limits) -> Iterator[str]:
    cells = chars = 0
    for row in sheet.iter_rows(values_only=True):
        cells += max(1, len(row))
        line = "\t".join("" if value is None else str(value) for value in row).rstrip()
        chars += len(line)
        if cells > MOST_CELLS or chars > limits.chars:
            raise Refused("too_much_text")
        if line:
            yield line
