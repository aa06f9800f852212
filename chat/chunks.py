"""Texts that are longer than a model can read at once: cut into chunks, each condensed alone, the results merged until
they fit. Who is asked, and what for, is the caller's; nothing here knows a run."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from chat.estimates import BYTES_PER_TOKEN, of_text

# More chunks than this is more than anybody wants to pay for by accident.
MOST_CHUNKS = 40
DEEPEST = 4
GAP = "\n\n"


class TooLong(Exception):
    """It would take too many requests; the message says how many."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a condensation: chunk `number` of `of`, counted from 1; `final` gives the text that is wanted,
    every other one a piece of what comes next. `level` counts the merges before it."""

    number: int
    of: int
    level: int
    final: bool


type Ask = Callable[[str, Step], Awaitable[str]]


async def condense(pieces: Sequence[str], room: int, ask: Ask) -> str:
    """What `ask` makes of all pieces, in one request when they fit `room` (tokens, as `estimates` guesses them), else
    chunk by chunk and then of the results. Raises TooLong, and what `ask` raises."""
    for level in range(DEEPEST):
        chunks = split(pieces, room)
        if len(chunks) <= 1:
            return await ask(chunks[0] if chunks else "", Step(1, 1, level, final=True))
        if len(chunks) > MOST_CHUNKS:
            raise TooLong(f"It would take {len(chunks)} requests; {MOST_CHUNKS} are the most.")
        steps = [Step(number, len(chunks), level, final=False) for number in range(1, len(chunks) + 1)]
        pieces = [await ask(chunk, step) for chunk, step in zip(chunks, steps, strict=True)]
    raise TooLong(f"It is still too long after {DEEPEST} rounds.")


def split(pieces: Sequence[str], room: int) -> list[str]:
    """Pieces packed in order into chunks of at most `room` tokens; one that is longer alone is cut where it can be."""
    chunks: list[str] = []
    for piece in (part for whole in pieces for part in cut(whole, room)):
        joined = f"{chunks[-1]}{GAP}{piece}" if chunks else piece
        if chunks and of_text(joined) <= room:
            chunks[-1] = joined
        else:
            chunks.append(piece)
    return chunks


def cut(text: str, room: int) -> Iterator[str]:
    """The text in parts of at most `room` tokens: between paragraphs, lines or words where there are any. Joined they
    are the text again."""
    data = text.encode("utf-8", "replace")
    most = max(room, 1) * BYTES_PER_TOKEN
    while len(data) > most:
        end = _seam(data, most)
        yield data[:end].decode()
        data = data[end:]
    if data:
        yield data.decode()


def _seam(data: bytes, most: int) -> int:
    """Where to cut at most `most` bytes off: after the last gap of the second half, never inside a character."""
    for gap in (b"\n\n", b"\n", b" "):
        found = data.rfind(gap, most // 2, most)
        if found > 0:
            return found + len(gap)
    end = most
    while data[end] & 0xC0 == 0x80:
        end -= 1
    return end
