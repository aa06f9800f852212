"""Files of every kind, good and hostile, made on the spot."""

import io
import struct
import zipfile
import zlib
from typing import Any

PDF_PAGES = ("The lease ends on 3 May.", "A deposit of 900 euros is held.", "Pets are welcome.")


def pdf(*texts: str) -> bytes:
    """A PDF with one line of text a page."""
    kids, objects = [], []
    for number, text in enumerate(texts):
        page, content = 4 + 2 * number, 5 + 2 * number
        kids.append(f"{page} 0 R")
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        box = "/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
        objects.append((page, f"<</Type/Page/Parent 2 0 R{box}/Contents {content} 0 R>>"))
        objects.append((content, f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream"))
    head = [
        (1, "<</Type/Catalog/Pages 2 0 R>>"),
        (2, f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>"),
        (3, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"),
    ]
    return _written([*head, *objects])


def endless_pdf() -> bytes:
    """Its tree of pages is a ring."""
    tree = "<</Type/Pages/Parent 2 0 R/Kids[2 0 R 2 0 R]/Count 100000>>"
    return _written([(1, "<</Type/Catalog/Pages 2 0 R>>"), (2, tree)])


def inflating_pdf() -> bytes:
    """One page whose content is 120 MB of operators, packed."""
    packed = zlib.compress(b"BT (x) Tj ET\n" * 10_000_000, 9)
    objects = [
        (1, "<</Type/Catalog/Pages 2 0 R>>"),
        (2, "<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        (3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"),
        (4, f"<</Length {len(packed)}/Filter/FlateDecode>>\nstream\n{packed.decode('latin1')}\nendstream"),
    ]
    return _written(objects)


def _written(objects: list[tuple[int, str]]) -> bytes:
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = {}
    for number, body in sorted(objects):
        places[number] = out.tell()
        out.write(f"{number} 0 obj\n{body}\nendobj\n".encode("latin1"))
    start = out.tell()
    out.write(f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode())
    for number in sorted(places):
        out.write(f"{places[number]:010} 00000 n \n".encode())
    out.write(f"trailer<</Size {len(places) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF".encode())
    return out.getvalue()


def locked_pdf() -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("Secret"))))
    writer.encrypt("a password", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **options)
    return out.getvalue()


def located_picture() -> bytes:
    """A photograph that says where it was taken, lying on its side."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x010E] = "Alice at home"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (52.0, 22.0, 1.0)
    return picture("JPEG", (400, 300), exif=exif)


def bomb_picture(side: int = 30_000) -> bytes:
    """A PNG of a few kilobytes that says it is 900 megapixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (side // 8 + 1) * 64)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def word(*paragraphs: str) -> bytes:
    from docx import Document

    document = Document()
    for text in paragraphs:
        if text == "\f":
            document.add_page_break()
        else:
            document.add_paragraph(text)
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Rent", "1,200"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def book(**sheets: list[list[Any]]) -> bytes:
    from openpyxl import Workbook

    made = Workbook()
    made.remove(made.worksheets[0])
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def deck(*titles: str) -> bytes:
    from pptx import Presentation

    made = Presentation()
    for title in titles:
        slide = made.slides.add_slide(made.slide_layouts[5])
        slide.shapes.title.text = title
        slide.notes_slide.notes_text_frame.text = f"Say {title}"
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def repacked(package: bytes, **members: bytes) -> bytes:
    """An office file with some members replaced or added (`word/document.xml` is written word__document.xml)."""
    named = {name.replace("__", "/").replace("_xml", ".xml"): body for name, body in members.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename not in named:
                new.writestr(entry, old.read(entry))
        for name, body in named.items():
            new.writestr(name, body)
    return out.getvalue()


def zip_bomb() -> bytes:
    return repacked(word("Hello"), word__media__zeros_xml=b"\0" * (300 * 1024 * 1024))


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><w>&d;</w>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w>&x;</w>"""


def xml_bomb(body: bytes = LAUGHS) -> bytes:
    return repacked(word("Hello"), word__document_xml=body)


def wide_book() -> bytes:
    """A sheet that claims to be as large as a sheet can be, and has one cell far out."""
    sheet = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<dimension ref="A1:XFD1048576"/><sheetData><row r="1048576"><c r="XFD1048576"><v>7</v></c></row></sheetData>'
        b"</worksheet>"
    )
    return repacked(book(One=[["a"]]), xl__worksheets__sheet1_xml=sheet)
