"""Brings what vendors say of their sources into the one shape that `events.Citation` describes; knows no vendor."""

from typing import cast

from providers.events import Citation

LONGEST_TEXT = 2000
_TEXTS = frozenset({"title", "url", "cited_text", "reference"})


def citation(**told: object) -> Citation:
    """A citation of what is there and of the right kind: texts that are not empty, whole numbers from 0, web addresses.

    Vendors repeat long passages; a text is cut at 2,000 characters.
    """
    kept: dict[str, object] = {}
    for name, value in told.items():
        if name in _TEXTS and isinstance(value, str) and value:
            kept[name] = value[:LONGEST_TEXT]
        elif name not in _TEXTS and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            kept[name] = value
    if not str(kept.get("url", "https://")).startswith(("https://", "http://")):
        del kept["url"]
    return cast("Citation", kept)
