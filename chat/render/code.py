"""A code block as a figure, highlighted once with classes (a strict policy forbids inline styles)."""

from functools import cache

from markdown_it.common.utils import escapeHtml
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from chat.render.sanitizer import HIGHLIGHT_PREFIX

# Highlighting is linear for most languages and worse for a few: above this size code stays plain.
HIGHLIGHT_CHARS = 60_000

_formatter = HtmlFormatter(nowrap=True, classprefix=HIGHLIGHT_PREFIX)


def code_block(source: str, info: str) -> str:
    """HTML of a fenced or indented block; `info` is what follows the fence, its first word the language."""
    language = info.split(maxsplit=1)[0][:40] if info.strip() else ""
    lexer = _lexer(language.lower())
    body = source.removesuffix("\n")
    shown = highlight(body, lexer, _formatter).removesuffix("\n") if lexer and _small(source) else escapeHtml(body)
    head = f'{escapeHtml(language or "text")}<button class="tool-btn" type="button">Copy</button>'
    return (
        f'<figure class="code"><figcaption>{head}</figcaption><pre tabindex="0"><code>{shown}\n</code></pre></figure>\n'
    )


def _small(source: str) -> bool:
    return len(source) <= HIGHLIGHT_CHARS


@cache
def _known(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _lexer(language: str) -> Lexer | None:
    """Only plausible names reach the cache: a model may write anything after a fence."""
    if not language or not language.replace("+", "").replace("#", "").replace("-", "").isalnum():
        return None
    return _known(language)
