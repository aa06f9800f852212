"""The usage of a run that makes more than one request."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from providers.events import Usage


def added(before: Mapping[str, Any], more: Usage | None) -> dict[str, Any]:
    """The usage of all requests so far; what nobody counted stays unknown."""
    total = dict(before)
    for each in fields(Usage):
        value = getattr(more, each.name) if more else None
        if isinstance(value, bool):
            total[each.name] = value or total.get(each.name, False)
        elif value is not None:
            total[each.name] = value + total.get(each.name, 0)
    return total
