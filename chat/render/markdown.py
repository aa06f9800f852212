"""Markdown of a model to safe HTML: raw HTML is text, images are links, headings start at h3, maths is MathML."""

from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin

from chat.render.brackets import bracket_maths
from chat.render.citations import ENV, Cited, page_citations
from chat.render.code import code_block
from chat.render.maths import formula
from chat.render.sanitizer import SCHEMES, sanitize

type Env = MutableMapping[str, Any]

FIRST_HEADING = 3
CACHED_CHARS = 24_000
_DOLLARS = {
    "allow_labels": False,
    "allow_space": False,
    "allow_digits": False,
    "allow_blank_lines": False,
    "double_inline": True,
}
_ALIGNMENTS = {"text-align:center": "al-c", "text-align:right": "al-r"}


class Html(RendererHTML):
    """Our own elements where the library's would need inline styles, images or script."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return code_block(tokens[idx].content, tokens[idx].info)

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return code_block(tokens[idx].content, "")

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        """A link: an image would make the reader's browser call whatever address a model wrote."""
        address = str(tokens[idx].attrs.get("src", ""))
        label = self.renderInlineAsText(tokens[idx].children or [], options, env) or address
        return f'<a href="{escapeHtml(address)}">{escapeHtml(label)}</a>'

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return '<div class="table-wrap" role="group" aria-label="Table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return "</table></div>\n"

    def math_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return formula(tokens[idx].content, block=False)

    def math_inline_double(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        return formula(tokens[idx].content, block=True)

    def math_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Env) -> str:
        drawn = formula(tokens[idx].content, block=True)
        return f'<div class="formula" role="group" aria-label="Formula" tabindex="0">{drawn}</div>\n'


def _restyle(state: StateCore) -> None:
    """Put headings below the page's own, no level left out, and say alignment with a class.

    `env["outline"]` holds the levels that are open, so that a text rendered block by block keeps its order.
    """
    outline: list[int] = state.env.setdefault("outline", [])
    for token in state.tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while outline and outline[-1] >= level:
                outline.pop()
            outline.append(level)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, FIRST_HEADING + len(outline) - 1)}"
        elif name := _ALIGNMENTS.get(str(token.attrs.pop("style", ""))):
            token.attrSet("class", name)


def _allowed(address: str) -> bool:
    try:
        return urlsplit(address).scheme.lower() in SCHEMES
    except ValueError:
        return False


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True}, renderer_cls=Html)
    parser.enable(["table", "strikethrough", "linkify"])
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    # The plugin sets render rules of its own; ours are set again below.
    parser.use(dollarmath_plugin, **_DOLLARS)
    parser.use(bracket_maths)
    parser.use(page_citations)
    for name in ("math_inline", "math_inline_double", "math_block"):
        parser.add_render_rule(name, getattr(Html, name))
    parser.validateLink = _allowed  # type: ignore[method-assign,assignment]
    parser.core.ruler.push("restyle", _restyle)
    return parser


PARSER = _parser()


def html_of(tokens: Sequence[Token], env: Env) -> str:
    """Sanitized HTML of parsed blocks."""
    return sanitize(PARSER.renderer.render(tokens, PARSER.options, env), env.get(ENV))


def plain(text: str) -> str:
    """Text with one kind of line end, whatever it is cut into."""
    return text.replace("\r", "")


def render(text: str, cited: Cited | None = None) -> str:
    """Safe HTML of a whole text; pages of `cited` that it names are links."""
    text = plain(text)
    return _remembered(text, cited) if len(text) <= CACHED_CHARS else _render(text, cited)


def _render(text: str, cited: Cited | None) -> str:
    env: Env = cited.env() if cited else {}
    return html_of(PARSER.parse(text, env), env)


# A page shows the same finished answers again and again.
_remembered = lru_cache(maxsize=256)(_render)
