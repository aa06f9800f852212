"""PDF. A page without text, a scan for example, is an empty page: a model that sees may still read it."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from chat.extraction.limits import Limits
from chat.extraction.refusals import Refused
from chat.extraction.telling import pages, say


def extract(source: BinaryIO, limits: Limits) -> None:
    from pypdf import PdfReader  # noqa: PLC0415 - each kind of file loads its own parser
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    try:
        reader = PdfReader(source, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused("encrypted")
        count = len(reader.pages)
        if count > limits.pages:
            raise Refused("too_many_pages")
        say(total=count)
        pages(_texts(reader), limits)
    except (PyPdfError, RecursionError):
        raise Refused("damaged") from None


def _texts(reader: Any) -> Iterator[str]:
    for page in reader.pages:
        yield page.extract_text().strip()
