"""Token counts of several requests as one: what nobody counted stays unknown. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from providers.events import Usage


def added(before: Mapping[str, Any], more: Usage | None) -> dict[str, Any]:
    """The usage of all requests so far, as a run stores it."""
    return total(before, asdict(more) if more else {})


def total(before: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Two counts as runs store them, together."""
    found = dict(before)
    for name in (each.name for each in fields(Usage)):
        value = more.get(name)
        if isinstance(value, bool):
            found[name] = value or found.get(name, False)
        elif value is not None:
            found[name] = value + found.get(name, 0)
    return found
