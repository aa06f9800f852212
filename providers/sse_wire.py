"""Splits the bytes of a server-sent event stream into the data of its events, whatever the chunks; no meaning here."""

from collections.abc import Iterator

LINE_LIMIT = 1024 * 1024
STRAY_LIMIT = 64 * 1024


class LineTooLong(ValueError):
    """An event is larger than anything a vendor sends; reading on would only cost memory."""


class Splitter:
    """Feed it chunks of any size; it yields the `data` of each complete event.

    Works on bytes, so a character cut in two is whole again before anybody decodes it. Lines end with CR, LF or CRLF
    only. Comments and other fields are skipped. What belongs to no field (a vendor's bare JSON error on a stream) is
    kept in `stray`, up to 64 KiB.
    """

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._held: list[bytes] = []
        self._held_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._after_cr = False
        self.stray = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of the events that `chunk` completes. Raises `LineTooLong`."""
        if self._after_cr and chunk:
            # The CR before ended its line; an LF that follows belongs to it.
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n" not in chunk:
            self._hold(chunk)
            return
        *lines, rest = (b"".join(self._held) + chunk).split(b"\n")
        self._held, self._held_size = [], 0
        self._hold(rest)
        for line in lines:
            if line:
                self._line(line)
            elif self._data:
                yield self._event()

    def end(self) -> Iterator[bytes]:
        """What a stream that ended without its last blank line still held."""
        if line := b"".join(self._held):
            self._held, self._held_size = [], 0
            self._line(line)
        if self._data:
            yield self._event()

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._held.append(piece)
            self._held_size += len(piece)
        if self._held_size > self._limit:
            raise LineTooLong

    def _line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b"data: ") else line[5:]
            self._data_size += len(value)
            if self._data_size > self._limit:
                raise LineTooLong
            self._data.append(value)
        elif not line.startswith((b":", b"event:", b"id:", b"retry:")) and line not in (b"data", b"event", b"id"):
            self.stray = (self.stray + line + b"\n")[:STRAY_LIMIT]

    def _event(self) -> bytes:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data = []
        self._data_size = 0
        return data
