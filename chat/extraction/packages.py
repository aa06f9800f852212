"""Office files are ZIP archives of XML: what is asked of one before any parser may open it."""

from typing import Any, BinaryIO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from chat.extraction.limits import Limits
from chat.extraction.refusals import Refused

MOST_ENTRIES = 10_000
BLOCK = 1 << 20


def check(source: BinaryIO, limits: Limits) -> None:
    """Raises Refused for an archive that unpacks to too much or whose XML defines entities. Leaves the file at 0."""
    try:
        with ZipFile(source) as archive:
            entries = archive.infolist()
            # No entry can be read beyond the size that it declares.
            if len(entries) > MOST_ENTRIES or sum(one.file_size for one in entries) > limits.unpacked:
                raise Refused("unpacks_too_large")
            for entry in entries:
                if entry.flag_bits & 1:
                    raise Refused("encrypted")
                if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    with archive.open(entry) as stream:
                        _refuse_declarations(stream)
    except (BadZipFile, expat.ExpatError, EOFError, NotImplementedError):
        raise Refused("damaged") from None
    source.seek(0)


def _refuse_declarations(stream: Any) -> None:
    """An entity can grow without bound or name another file; a document type is where it is declared."""

    def declared(*_: object) -> None:
        raise Refused("forbidden_content")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declared
    while block := stream.read(BLOCK):
        parser.Parse(block, False)
    parser.Parse(b"", True)
