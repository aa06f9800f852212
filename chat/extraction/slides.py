"""Slides: the text, tables and notes of each."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from chat.extraction import packages
from chat.extraction.limits import Limits
from chat.extraction.refusals import Refused
from chat.extraction.telling import pages, say


def extract(source: BinaryIO, limits: Limits) -> None:
    from pptx import Presentation  # noqa: PLC0415 - each kind of file loads its own parser
    from pptx.exc import PythonPptxError  # noqa: PLC0415

    packages.check(source, limits)
    try:
        deck = Presentation(source)
    except (PythonPptxError, KeyError, ValueError):
        raise Refused("damaged") from None
    say(total=len(deck.slides))
    pages((_slide(slide) for slide in deck.slides), limits)


def _slide(slide: Any) -> str:
    lines = [text for shape in slide.shapes for text in _shape(shape) if text.strip()]
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None and frame.text.strip():
        lines.append(f"Notes: {frame.text}")
    return "\n".join(lines)


def _shape(shape: Any) -> Iterator[str]:
    if hasattr(shape, "shapes"):
        for inner in shape.shapes:
            yield from _shape(inner)
    elif getattr(shape, "has_table", False):
        for row in shape.table.rows:
            yield "\t".join(cell.text for cell in row.cells)
    elif shape.has_text_frame:
        yield shape.text_frame.text
