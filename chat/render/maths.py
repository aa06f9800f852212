"""LaTeX to MathML, which browsers draw without script or inline style; what cannot be converted stays source."""

import logging
import re

from latex2mathml import exceptions
from latex2mathml.converter import convert
from markdown_it.common.utils import escapeHtml

logger = logging.getLogger(__name__)

FORMULA_CHARS = 2_000
# What the converter raises for what it knows to be wrong, and what escapes it for the rest.
CONVERTER_ERRORS: tuple[type[Exception], ...] = (
    *(each for each in vars(exceptions).values() if isinstance(each, type) and issubclass(each, Exception)),
    *(ValueError, LookupError, TypeError, AttributeError, RuntimeError, StopIteration),
)
# The converter copies the words of \text{...} as they are, so an angle bracket there would become markup.
_WORDS = re.compile(r"\\(?:text\w*|mbox|hbox)\s*\{[^{}]*\}")


def formula(source: str, *, block: bool) -> str:
    """MathML of a formula, or its source as code. The result still goes through the sanitizer."""
    source = source.strip()
    if len(source) > FORMULA_CHARS:
        return _as_code(source)
    try:
        return str(convert(_WORDS.sub(_escaped, source), display="block" if block else "inline"))
    except CONVERTER_ERRORS as error:
        logger.debug("a formula was not understood: %s", type(error).__name__)
        return _as_code(source)


def _escaped(words: re.Match[str]) -> str:
    return words[0].replace("<", "&lt;").replace(">", "&gt;")


def _as_code(source: str) -> str:
    return f"<code>{escapeHtml(source)}</code>"
