"""Text of every kind of file; and what a hostile one gets: a typed reason, soon, in little memory."""

import io
import resource
import tempfile
import time
from dataclasses import replace

import pytest
from PIL import Image

from chat import extracting
from chat.extracting import Abandoned, Extracted
from chat.extraction.limits import MIB, Limits
from chat.extraction.refusals import SENTENCES, Refused
from tests.chat.docs import files

LIMITS = Limits(seconds=30, cpu_seconds=10, memory=512 * MIB)


def extract(kind: str, data: bytes, limits: Limits = LIMITS) -> Extracted:
    with tempfile.TemporaryFile() as source:
        source.write(data)
        source.seek(0)
        return extracting.extract(kind, source, limits)


def test_a_pdf_is_read_page_by_page() -> None:
    found = extract("pdf", files.pdf(*files.PDF_PAGES))
    assert (found.pages, found.total) == (list(files.PDF_PAGES), 3)


def test_a_scan_is_a_page_without_text() -> None:
    assert extract("pdf", files.pdf("One", "", "Three")).pages == ["One", "", "Three"]


def test_a_word_document_is_cut_where_its_pages_end() -> None:
    found = extract("docx", files.word("First page", "\f", "Second page"))
    assert found.pages[0] == "First page"
    assert "Second page" in found.pages[1]
    assert "Rent\t1,200" in found.pages[1]


def test_a_sheet_is_a_page_and_a_row_a_line() -> None:
    found = extract("xlsx", files.book(Rent=[["Month", "Euros"], ["May", 900]], Empty=[]))
    assert found.pages == ["Rent\nMonth\tEuros\nMay\t900", "Empty"]


def test_a_slide_is_a_page_with_its_notes() -> None:
    assert extract("pptx", files.deck("Hello", "Goodbye")).pages == [
        "Hello\nNotes: Say Hello",
        "Goodbye\nNotes: Say Goodbye",
    ]


@pytest.mark.parametrize(
    "data",
    ["Zürich\n".encode(), "Zürich\n".encode("utf-16"), "Zürich\n".encode("cp1252"), b"\xef\xbb\xbfZ\xc3\xbcrich\n"],
)
def test_a_text_is_read_in_whatever_encoding(data: bytes) -> None:
    assert extract("text", data).pages == ["Zürich\n"]


def test_a_long_text_is_cut_into_parts_at_its_lines() -> None:
    text = "".join(f"Line {number} of the text\n" for number in range(1_000))
    found = extract("text", text.encode())
    assert len(found.pages) == 6
    assert "".join(found.pages) == text
    assert all(page.endswith("\n") for page in found.pages)


@pytest.mark.parametrize(
    ("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/png"), ("WEBP", "image/png")]
)
def test_a_picture_is_drawn_anew(kind: str, media_type: str) -> None:
    found = extract("image", files.picture(kind))
    assert found.media_type == media_type
    assert Image.open(io.BytesIO(found.picture)).size == (64, 48)
    assert found.pages == []


def test_a_picture_loses_what_it_says_about_its_maker_and_stands_upright() -> None:
    data = files.located_picture()
    assert b"Alice at home" in data
    found = extract("image", data)
    drawn = Image.open(io.BytesIO(found.picture))
    assert drawn.size == (300, 400)
    assert dict(drawn.getexif()) == {}
    assert b"Alice" not in found.picture + found.preview


def test_a_large_picture_is_made_smaller_and_has_a_preview() -> None:
    found = extract("image", files.picture("JPEG", (4096, 1024)))
    assert Image.open(io.BytesIO(found.picture)).size == (2048, 512)
    assert Image.open(io.BytesIO(found.preview)).size == (320, 80)


HOSTILE = {
    "a zip bomb": ("docx", files.zip_bomb, "unpacks_too_large"),
    "an entity bomb": ("docx", files.xml_bomb, "forbidden_content"),
    "an outside entity": ("docx", lambda: files.xml_bomb(files.OUTSIDE), "forbidden_content"),
    "an entity bomb in UTF-16": (
        "docx",
        lambda: files.xml_bomb(files.LAUGHS.decode().replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16")),
        "forbidden_content",
    ),
    "a ring of pages": ("pdf", files.endless_pdf, "damaged"),
    "a locked PDF": ("pdf", files.locked_pdf, "encrypted"),
    "half a PDF": ("pdf", lambda: files.pdf("One")[:120], "damaged"),
    "half a Word document": ("docx", lambda: files.word("One")[:4000], "damaged"),
    "a ZIP of nothing": ("xlsx", lambda: files.repacked(files.book(A=[])).replace(b"xl/", b"xx/"), "damaged"),
    "a picture of 900 megapixels": ("image", files.bomb_picture, "image_too_large"),
    "half a picture": ("image", lambda: files.picture(size=(400, 400))[:300], "damaged"),
    "HTML that begins as a PNG": ("image", lambda: b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "damaged"),
    "an empty text": ("text", lambda: b" \n ", "empty"),
    "bytes that are no text": ("text", lambda: b"\0\1\2", "damaged"),
    "more pages than allowed": ("pdf", lambda: files.pdf(*["x"] * 30), "too_many_pages"),
    "more text than allowed": ("text", lambda: b"word " * 30_000, "too_much_text"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_for_a_reason_and_soon(name: str) -> None:
    kind, make, reason = HOSTILE[name]
    data = make()
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refused) as refused:
        extract(kind, data, replace(LIMITS, pages=20, chars=100_000))
    assert refused.value.code == reason
    assert refused.value.sentence == SENTENCES[reason]
    assert time.monotonic() - began < LIMITS.seconds
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024, "the parser's memory is not ours"


def test_a_page_that_unpacks_without_end_is_left_out() -> None:
    assert extract("pdf", files.inflating_pdf()).pages == [""]


def test_a_sheet_that_claims_to_be_endless_is_read_for_what_it_holds() -> None:
    with pytest.raises(Refused) as refused:
        extract("xlsx", files.wide_book())
    assert refused.value.code == "too_much_text"


def test_what_takes_too_long_is_ended() -> None:
    slow = files.book(A=[list(range(40)) for _ in range(6_000)])
    with pytest.raises(Refused) as refused:
        extract("xlsx", slow, replace(LIMITS, cpu_seconds=1, seconds=60))
    assert refused.value.code == "too_slow"
    with pytest.raises(Refused) as refused:
        extract("text", b"Hello", replace(LIMITS, seconds=0))
    assert refused.value.code == "too_slow"


def test_memory_is_bounded() -> None:
    with pytest.raises(Refused) as refused:
        extract("image", files.picture(size=(6_000, 6_000)), replace(LIMITS, memory=96 * MIB))
    assert refused.value.code in {"too_much_memory", "damaged"}


def test_a_reader_that_has_gone_ends_the_process() -> None:
    with tempfile.TemporaryFile() as source:
        source.write(files.pdf("One"))
        source.seek(0)
        with pytest.raises(Abandoned):
            extracting.extract("pdf", source, LIMITS, lambda _: False)
