"""What the sandbox says about pages of a document: the page that fits best, quoted and named; no model reads it."""

import re

from providers.sandbox.asks import Ask

_ASKED = re.compile(r"\bpages of the document\b")
_PAGE = re.compile(r"^\[p\. (\d+)\]\n", re.MULTILINE)
_NOTE = re.compile(r"^- .*\[p\. \d+\]$", re.MULTILINE)
_QUESTION = re.compile(r"\n\nQuestion: (.*)\Z", re.DOTALL)
_SHORT = 120
_MOST = 12


def wanted(ask: Ask) -> bool:
    return _ASKED.search(ask.system) is not None


def reply(text: str) -> str:
    question = _QUESTION.search(text)
    pages = _pages(text[: question.start()] if question else text)
    said = _answer(pages, question[1]) if pages and question else _summary(pages, text)
    return f"{said}\n\n(The sandbox quotes by fixed rules; no model was called.)"


def _pages(text: str) -> list[tuple[int, str]]:
    pieces = _PAGE.split(text)[1:]
    return [(int(number), body.strip()) for number, body in zip(pieces[::2], pieces[1::2], strict=True) if body.strip()]


def _answer(pages: list[tuple[int, str]], question: str) -> str:
    wanted_words = _words(question)
    number, body = max(pages, key=lambda page: len(wanted_words & _words(page[1])))
    lines = [line for line in body.splitlines() if line.strip()]
    line = max(lines, key=lambda one: len(wanted_words & _words(one)))
    return f"The document says: “{_cut(line)}” [p. {number}]"


def _summary(pages: list[tuple[int, str]], text: str) -> str:
    """Of pages, or, where there are none, of the notes that were made of them."""
    lines = [f"- {_cut(body.splitlines()[0])} [p. {number}]" for number, body in pages] or _NOTE.findall(text)
    more = len(lines) - _MOST
    return "\n".join(["**In short:**", "", *lines[:_MOST], *([f"- and {more} more"] if more > 0 else [])])


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{4,}|\d+", text.lower()))


def _cut(line: str) -> str:
    return line if len(line) <= _SHORT else f"{line[:_SHORT].rstrip()}…"
