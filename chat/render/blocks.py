"""A growing text rendered block by block: what is finished is rendered once and never changes, the rest is the tail.

A block is finished when another one has begun after it, or when its fence is closed. That depends on the text alone,
not on how it was cut into pieces, so every reader of a stream is in the same state at the same sequence.
"""

import re
from typing import Any, Self

from markdown_it.token import Token

from chat.render.citations import Cited
from chat.render.markdown import PARSER, html_of, plain, render

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`\n]*\n)|~{3,}(?=[^\n]*\n))")
_CODE = frozenset({"fence", "code_block", "math_block"})


class Blocks:
    """`committed` is the HTML so far, `tail` the text of the block that is still open."""

    def __init__(self, cited: Cited | None = None) -> None:
        """`cited` is a document whose pages the text may name."""
        self.text = ""
        self.tail = ""
        self.committed = ""
        self.cited = cited
        self._env: dict[str, Any] = cited.env() if cited else {}

    @classmethod
    def finished(cls, text: str, cited: Cited | None = None) -> Self:
        blocks = cls(cited)
        blocks.text, blocks.committed = plain(text), render(text, cited)
        return blocks

    def feed(self, delta: str) -> str:
        """Add text; returns the HTML of the blocks that it finished, often none."""
        delta = plain(delta)
        self.text += delta
        self.tail += delta
        if "\n" not in delta or _inside_fence(self.tail, len(delta)):
            return ""
        return self._commit(self._finished(self.tail[: self.tail.rfind("\n")]))

    def finish(self) -> str:
        """The text is complete: returns the HTML of what was still open."""
        return self._commit(len(self.tail))

    def whole(self) -> str | None:
        """The HTML of the whole text if it differs from what was committed: a link may be defined after its use."""
        final = render(self.text, self.cited)
        return None if final == self.committed else final

    def _commit(self, length: int) -> str:
        done, self.tail = self.tail[:length], self.tail[length:]
        if not done:
            return ""
        html = html_of(PARSER.parse(done, self._env), self._env)
        self.committed += html
        return html

    def _finished(self, complete: str) -> int:
        """How many characters of the complete lines belong to finished blocks."""
        lines = complete.split("\n")
        blocks = self._top_level(complete)
        if not blocks:
            return 0
        last = blocks[-1]
        start, end = _span(last)
        line = end if last.type == "fence" and _closes(lines[end - 1], last.markup) and end - start > 1 else start
        line = min(line, _waiting_for_maths(lines, blocks))
        return sum(len(each) + 1 for each in lines[:line])

    def _top_level(self, text: str) -> list[Token]:
        # A definition at the very end may still grow: what this look-ahead learns is forgotten.
        env = {"references": dict(self._env.get("references", {}))}
        tokens: list[Token] = []
        PARSER.block.parse(text, PARSER, env, tokens)
        return [token for token in tokens if token.level == 0 and token.nesting >= 0 and token.map]


def _span(token: Token) -> tuple[int, int]:
    start, end = token.map or (0, 0)
    return start, end


def _closes(line: str, markup: str) -> bool:
    marker = line.strip(" \t")
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    return indent in {"", " ", "  ", "   "} and len(marker) >= len(markup) and set(marker) == {markup[0]}


def _inside_fence(tail: str, fresh: int) -> bool:
    """Whether the tail is a code block whose closing has not come: the common long block, decided without a parse."""
    opening = _FENCE.match(tail)
    if opening is None:
        return False
    unseen = max(tail.find("\n", opening.end()) + 1, tail.rfind("\n", 0, len(tail) - fresh) + 1)
    complete = tail[unseen : tail.rfind("\n") + 1]
    return not any(_closes(line, opening[1]) for line in complete.split("\n") if line)


def _waiting_for_maths(lines: list[str], blocks: list[Token]) -> int:
    """The line before which all is final: an opened formula may swallow what follows until the next blank line."""
    for block in blocks:
        start, end = _span(block)
        if block.type in _CODE:
            continue
        for number in range(start, min(end, len(lines))):
            opened = "$$" in lines[number] or "\\[" in lines[number]
            if opened and not any(not later.strip() for later in lines[number + 1 :]):
                return start
    return len(lines)
