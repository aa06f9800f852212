"""What the process says while it reads: one JSON object a line, each page as soon as it is known."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from chat.extraction.limits import Limits
from chat.extraction.refusals import Refused

PART_CHARS = 4_000


def say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def pages(texts: Iterable[str], limits: Limits) -> None:
    """Say each page. Raises Refused when there are too many, too much text, or none at all."""
    total = number = 0
    for number, text in enumerate(texts, start=1):
        total += len(text)
        if number > limits.pages:
            raise Refused("too_many_pages")
        if total > limits.chars:
            raise Refused("too_much_text")
        say(page=number, text=text)
    if number == 0:
        raise Refused("empty")


def parts(lines: Iterable[str]) -> Iterator[str]:
    """Lines gathered into parts that read like a page; a line of its own may be longer."""
    gathered: list[str] = []
    length = 0
    for line in lines:
        if gathered and length + len(line) > PART_CHARS:
            yield "".join(gathered)
            gathered, length = [], 0
        gathered.append(line)
        length += len(line)
    if gathered:
        yield "".join(gathered)
