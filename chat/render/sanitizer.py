"""The last gate before a browser: an allowlist of elements, attributes, classes and link schemes."""

from functools import lru_cache
from typing import Any

import nh3
from pygments.token import STANDARD_TYPES

from chat.render.citations import Cited

HIGHLIGHT_PREFIX = "t-"

_TEXT = {"p", "br", "hr", "em", "strong", "s", "blockquote", "h3", "h4", "h5", "h6", "ul", "ol", "li", "a"}
_CODE = {"figure", "figcaption", "button", "pre", "code", "span"}
_TABLE = {"div", "table", "thead", "tbody", "tr", "th", "td"}
_MATHS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "ms", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "mpadded",
    "mphantom", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "none",
    "mtable", "mtr", "mtd", "menclose",
}  # fmt: skip

_SPACING = {"width", "height", "depth", "lspace", "rspace", "voffset"}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "div": {"tabindex", "role", "aria-label"},
    "mo": {"stretchy", "fence", "separator", "form", "largeop", "movablelimits", "minsize", "maxsize"} | _SPACING,
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mtext": {"mathvariant"},
    "mspace": _SPACING,
    "mpadded": _SPACING,
    "mfrac": {"linethickness"},
    "mstyle": {"displaystyle", "scriptlevel", "mathvariant"},
    "mtable": {"columnalign", "rowalign", "columnspacing", "rowspacing", "columnlines", "rowlines", "displaystyle"},
    "mtd": {"columnalign"},
    "menclose": {"notation"},
    "mover": {"accent"},
    "munder": {"accentunder"},
}
_CLASSES = {
    "span": {HIGHLIGHT_PREFIX + short for short in STANDARD_TYPES.values() if short},
    "figure": {"code"},
    "button": {"tool-btn"},
    "div": {"table-wrap", "formula"},
    "th": {"al-c", "al-r"},
    "td": {"al-c", "al-r"},
}
_VALUES = {"button": {"type": {"button"}}, "math": {"display": {"block", "inline"}}}

SCHEMES = frozenset({"http", "https", "mailto"})

_RULES: dict[str, Any] = {
    "tags": _TEXT | _CODE | _TABLE | _MATHS,
    "clean_content_tags": {"script", "style"},
    "attributes": _ATTRIBUTES,
    "tag_attribute_values": _VALUES,
    "allowed_classes": _CLASSES,
    "url_schemes": set(SCHEMES),
    "link_rel": "noopener noreferrer nofollow",
}
_cleaner = nh3.Cleaner(**_RULES, url_relative="deny")


def sanitize(html: str, cited: Cited | None = None) -> str:
    """HTML that can be put into a page: no script, no style, no image, no id, links to SCHEMES only, and to the pages
    of `cited`."""
    return _cleaner.clean(html) if cited is None else _citing(cited).clean(html)


@lru_cache(maxsize=64)
def _citing(cited: Cited) -> nh3.Cleaner:
    return nh3.Cleaner(**_RULES, url_relative=lambda url: url if cited.links_to(url) else None)
