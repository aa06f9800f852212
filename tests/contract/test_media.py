"""How images and documents leave: as files where the vendor takes them, as their words elsewhere, or not at all."""

import base64

import pytest

from providers.contract import MediaPart, Message, TextPart
from providers.errors import ErrorCode
from tests.contract.dialects import Dialect, asked, plugged, speaking
from tests.contract.test_requests import SCHEMA, sent
from tests.contract.wire import plays

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\nfake"
IMAGE = MediaPart(media_type="image/png", data=PNG)
ENCODED = base64.b64encode(PNG).decode()


async def test_an_image_travels_inline(dialect: Dialect) -> None:
    question = Message("user", (TextPart(text="What is this?"), IMAGE))
    body = (await sent(dialect, messages=(question,))).sent
    match dialect.provider_id:
        case "openai":
            image = body["input"][0]["content"][1]
            assert image == {"type": "input_image", "image_url": f"data:image/png;base64,{ENCODED}", "detail": "auto"}
        case "gemini":
            assert body["contents"][0]["parts"][1] == {"inlineData": {"mimeType": "image/png", "data": ENCODED}}
        case "anthropic":
            source = {"type": "base64", "media_type": "image/png", "data": ENCODED}
            assert body["messages"][0]["content"][1] == {"type": "image", "source": source}
        case "mistral":
            image = body["messages"][0]["content"][1]
            assert image == {"type": "image_url", "image_url": f"data:image/png;base64,{ENCODED}"}
        case _:
            image = body["messages"][0]["content"][1]
            assert image == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ENCODED}"}}


@speaking("openai", "anthropic", "gemini", "mistral")
async def test_a_pdf_travels_as_it_is(dialect: Dialect) -> None:
    pdf = MediaPart(media_type="application/pdf", data=b"%PDF-1.7", filename="a.pdf")
    body = (await sent(dialect, messages=(Message("user", (pdf,)),))).sent
    encoded = base64.b64encode(b"%PDF-1.7").decode()
    if dialect.provider_id == "openai":
        file = {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{encoded}"}
        assert body["input"][0]["content"] == [file]
    elif dialect.provider_id == "anthropic":
        source = {"type": "base64", "media_type": "application/pdf", "data": encoded}
        document = {"type": "document", "source": source, "title": "a.pdf", "citations": {"enabled": True}}
        assert body["messages"][0]["content"] == [document]
    elif dialect.provider_id == "mistral":
        url = {"document_url": f"data:application/pdf;base64,{encoded}", "document_name": "a.pdf"}
        assert body["messages"][0]["content"] == [{"type": "document_url", **url}]
    else:
        assert body["contents"][0]["parts"] == [{"inlineData": {"mimeType": "application/pdf", "data": encoded}}]


@speaking("openai_compatible")
async def test_a_pdf_is_refused_where_nobody_could_read_it(dialect: Dialect) -> None:
    pdf = MediaPart(media_type="application/pdf", data=b"%PDF-1.7")
    with plugged(plays(b"")) as wire:
        error = await dialect.fails(asked(messages=(Message("user", (pdf,)),)))
    assert (error.code, error.detail) == (ErrorCode.INVALID_REQUEST, "unsupported_media")
    assert wire.requests == []


def named(dialect: Dialect, filename: str, words: str) -> str:
    """A document's words as they look in the request's JSON."""
    return f'"data":"{words}' if dialect.provider_id == "anthropic" else f"{filename}:\\n\\n{words}"


SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def test_a_document_no_vendor_takes_goes_as_the_words_read_out_of_it(dialect: Dialect) -> None:
    sheet = MediaPart(media_type=SHEET, data=b"PK", filename="a.xlsx", text="Turnover 7")
    sent_bytes = (await sent(dialect, messages=(Message("user", (sheet,)),))).requests[-1].content.decode()
    assert named(dialect, "a.xlsx", "Turnover 7") in sent_bytes
    assert base64.b64encode(b"PK").decode() not in sent_bytes


async def test_a_document_without_words_is_refused_before_it_leaves(dialect: Dialect) -> None:
    sheet = MediaPart(media_type=SHEET, data=b"PK", filename="a.xlsx")
    with plugged(plays(b"")) as wire:
        error = await dialect.fails(asked(messages=(Message("user", (sheet,)),)))
    assert (error.code, error.detail) == (ErrorCode.INVALID_REQUEST, "unsupported_media")
    assert wire.requests == []


@speaking("openai_compatible")
async def test_a_pdf_goes_as_its_words_where_the_server_takes_no_files(dialect: Dialect) -> None:
    pdf = MediaPart(media_type="application/pdf", data=b"%PDF-1.7", filename="a.pdf", text="Page one")
    body = (await sent(dialect, messages=(Message("user", (pdf,)),))).sent
    assert body["messages"][0]["content"] == [{"type": "text", "text": "a.pdf:\n\nPage one"}]


async def test_a_text_document_becomes_words(dialect: Dialect) -> None:
    note = MediaPart(media_type="text/markdown", data="# Größe".encode(), filename="note.md")
    wire = await sent(dialect, messages=(Message("user", (note,)),))
    assert named(dialect, "note.md", "# Gr") in wire.requests[-1].content.decode()


@speaking("anthropic")
async def test_a_text_document_is_one_that_can_be_cited(dialect: Dialect) -> None:
    """Every document counts, so that the number of a citation is the number among the documents that were sent."""
    note = MediaPart(media_type="text/plain", data=b"Sun", filename="a.txt")
    document = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "Sun"},
        "title": "a.txt",
    }
    told = (Message("user", (note,)),)
    (block,) = (await sent(dialect, messages=told)).sent["messages"][0]["content"]
    assert block == {**document, "citations": {"enabled": True}}
    (block,) = (await sent(dialect, messages=told, response_schema=("place", SCHEMA))).sent["messages"][0]["content"]
    assert block == document, "the vendor cites nothing in an answer that has to meet a schema"
