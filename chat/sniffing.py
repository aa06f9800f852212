"""What a file is, from its first look: its bytes decide, its name may only agree. Pure; nothing is parsed here."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from accounts.problems import Problem
from chat.extraction.plain import decoded
from chat.models import Attachment
from chat.protocol import clean

Kind = Attachment.Kind

FILENAME_CHARS = 120
ACCEPTED = "Pictures (PNG, JPEG, GIF, WebP), PDF, text and code, Word, Excel and PowerPoint files can be read."
OFFICE = "application/vnd.openxmlformats-officedocument."
_MEDIA_TYPES = {
    Kind.PDF: "application/pdf",
    Kind.DOCX: f"{OFFICE}wordprocessingml.document",
    Kind.XLSX: f"{OFFICE}spreadsheetml.sheet",
    Kind.PPTX: f"{OFFICE}presentationml.presentation",
}
_PACKAGES = ((b"word/document.xml", Kind.DOCX), (b"xl/workbook.xml", Kind.XLSX), (b"ppt/presentation.xml", Kind.PPTX))
_ENDINGS = {
    "png": Kind.IMAGE, "jpg": Kind.IMAGE, "jpeg": Kind.IMAGE, "gif": Kind.IMAGE, "webp": Kind.IMAGE, "pdf": Kind.PDF,
    "docx": Kind.DOCX, "xlsx": Kind.XLSX, "pptx": Kind.PPTX, "txt": Kind.TEXT, "md": Kind.TEXT, "csv": Kind.TEXT,
    "json": Kind.TEXT,
}  # fmt: skip
_TEXTS = {"md": "text/markdown", "csv": "text/csv", "json": "application/json"}
_PICTURES = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"), (b"GIF89a", "gif"))
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Sniffed:
    kind: Attachment.Kind
    media_type: str


def sniff(data: bytes, filename: str) -> Sniffed:
    """Raises Problem 422 empty_file, 415 unsupported_file or 422 wrong_extension."""
    if not data.strip():
        raise Problem(422, "empty_file", f"“{filename}” is empty.", "Choose a file with something in it.")
    found = _picture(data) or _package(data) or _pdf(data) or _text(data, filename)
    if found is None:
        old = data.startswith(_OLD_OFFICE)
        detail = "Save it as .docx, .xlsx or .pptx." if old else ACCEPTED
        raise Problem(415, "unsupported_file", f"“{filename}” cannot be read here.", detail)
    named = _ENDINGS.get(ending(filename))
    if named is not None and named != found.kind:
        detail = f"Its name says {named.label}, its content is {found.kind.label}. Give it the right ending."
        raise Problem(422, "wrong_extension", f"“{filename}” is not what its name says.", detail)
    return found


def _picture(data: bytes) -> Sniffed | None:
    for start, media_type in (
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff", "jpeg"),
        (b"GIF87a", "gif"),
        (b"GIF89a", "gif"),
    ):
        if data.startswith(start):
            return Sniffed(Kind.IMAGE, f"image/{media_type}")
    webp = data.startswith(b"RIFF") and data[8:12] == b"WEBP"
    return Sniffed(Kind.IMAGE, "image/webp") if webp else None


def _package(data: bytes) -> Sniffed | None:
    if not data.startswith(b"PK\x03\x04"):
        return None
    return next((Sniffed(kind, _MEDIA_TYPES[kind]) for name, kind in _PACKAGES if name in data), None)


def _pdf(data: bytes) -> Sniffed | None:
    # A reader forgives what comes before the mark, if it is little.
    return Sniffed(Kind.PDF, _MEDIA_TYPES[Kind.PDF]) if b"%PDF-" in data[:1024] else None


def _text(data: bytes, filename: str) -> Sniffed | None:
    """Whatever its name says, a text is never served as a page or a script."""
    if decoded(data) is None:
        return None
    return Sniffed(Kind.TEXT, _TEXTS.get(ending(filename), "text/plain"))


def ending(filename: str) -> str:
    return PurePosixPath(filename).suffix.lstrip(".").lower()


def shown_name(filename: str) -> str:
    """What a person called it, fit to be shown: no folder, no control or direction character, of bounded length."""
    name = clean(filename).replace("\\", "/").rsplit("/", 1)[-1]
    name = " ".join("".join(each if each.isprintable() else " " for each in name).split()).strip(". ")
    if len(name) > FILENAME_CHARS:
        suffix = PurePosixPath(name).suffix[:12]
        name = name[: FILENAME_CHARS - len(suffix) - 1].rstrip() + "…" + suffix
    return name or "file"
