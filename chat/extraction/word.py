"""Word documents: paragraphs and tables in order, cut where a page ended when it was last saved, else into parts."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from chat.extraction import packages
from chat.extraction.limits import Limits
from chat.extraction.refusals import Refused
from chat.extraction.telling import PART_CHARS, pages


def extract(source: BinaryIO, limits: Limits) -> None:
    from docx import Document  # noqa: PLC0415 - each kind of file loads its own parser
    from docx.opc.exceptions import OpcError  # noqa: PLC0415

    packages.check(source, limits)
    try:
        document = Document(source)
    except (OpcError, KeyError, ValueError):
        raise Refused("damaged") from None
    pages(_pages(document), limits)


def _pages(document: Any) -> Iterator[str]:
    gathered: list[str] = []
    length = 0
    for block in document.iter_inner_content():
        text = _text(block)
        full = length + len(text) > PART_CHARS
        if gathered and (full or _begins_page(block)):
            yield "\n".join(gathered)
            gathered, length = [], 0
        if text.strip():
            gathered.append(text)
            length += len(text)
    if gathered:
        yield "\n".join(gathered)


def _text(block: Any) -> str:
    if hasattr(block, "rows"):
        return "\n".join("\t".join(cell.text for cell in row.cells) for row in block.rows)
    return str(block.text)


def _begins_page(block: Any) -> bool:
    breaks = "./w:r/w:lastRenderedPageBreak | ./w:r/w:br[@w:type='page'] | ./w:pPr/w:pageBreakBefore"
    if not hasattr(block, "paragraph_format"):
        return False
    return bool(block._element.xpath(breaks))  # noqa: SLF001 - the library shows no other way to its breaks
