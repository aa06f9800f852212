"""Pages that an answer names like [p. 3] as links to their text; only pages that the document has."""

import re
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_MARK = re.compile(r"\[p\. ?(\d{1,6})\]")
ENV = "cited_pages"


@dataclass(frozen=True, slots=True)
class Cited:
    """A document whose pages may be named. `url` is their address without the number, our own and nobody else's."""

    url: str
    count: int

    def env(self) -> dict[str, Any]:
        return {ENV: self}

    def links_to(self, address: str) -> bool:
        number = address.removeprefix(self.url).removesuffix("/")
        return address.startswith(self.url) and number.isdecimal() and f"{self.url}{number}/" == address


def page_citations(parser: MarkdownIt) -> None:
    """Before links: what follows in brackets is another citation, not the address of this one."""
    parser.inline.ruler.before("link", "page_citation", _citation)


def _citation(state: StateInline, silent: bool) -> bool:
    cited = state.env.get(ENV)
    found = _MARK.match(state.src, state.pos) if isinstance(cited, Cited) else None
    if found is None or not isinstance(cited, Cited) or not 1 <= int(found[1]) <= cited.count:
        return False
    if not silent:
        opened = state.push("link_open", "a", 1)
        opened.attrs = {"href": f"{cited.url}{int(found[1])}/", "title": f"Page {int(found[1])} of the document"}
        state.push("text", "", 0).content = f"p. {int(found[1])}"
        state.push("link_close", "a", -1)
    state.pos = found.end()
    return True
