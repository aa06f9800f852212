"""Which role a workspace gives to what its own issuer says of a person: lines of role, claim and value.

Pure. `accounts.joining` makes a membership of it; ownership is never given this way.
"""

import json
import re
from typing import Any

from accounts.models.people import Role

# From the least to the most.
MAPPABLE = (Role.MEMBER, Role.ADMIN)
CLAIM = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")
LONGEST_VALUE = 200
MOST_LINES = 20
MOST_VALUES = 1000  # of one claim that are looked at


class NotALine(ValueError):
    """The text says something that is no line of the map; its message is for the form."""


def parse(text: str) -> list[dict[str, str]]:
    """One `role claim value` a line; a value may hold spaces. Raises NotALine."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise NotALine(f"There can be at most {MOST_LINES} lines.")
    return [_line(line) for line in lines]


def _line(text: str) -> dict[str, str]:
    role, claim, value = (*text.split(None, 2), "", "", "")[:3]
    value = value.strip()
    if role not in MAPPABLE or not CLAIM.fullmatch(claim) or not 0 < len(value) <= LONGEST_VALUE:
        raise NotALine(f"“{text[:60]}” is not a role (admin or member), a claim and a value.")
    return {"role": role, "claim": claim, "value": value}


def shown(lines: list[dict[str, str]]) -> str:
    """As `parse` reads it."""
    return "\n".join(f"{line['role']} {line['claim']} {line['value']}" for line in lines)


def mapped(lines: list[dict[str, str]], claims: dict[str, Any]) -> str:
    """The highest role that the lines give to verified `claims`; empty when they give none."""
    given = {line["role"] for line in lines if line["value"] in _said(claims, line["claim"])}
    return next((role.value for role in reversed(MAPPABLE) if role in given), "")


def _said(claims: dict[str, Any], path: str) -> set[str]:
    """The values of a claim, by its whole name or by a dotted way into it; a list stands for each of its members."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for step in path.split("."):
            found = found.get(step) if isinstance(found, dict) else None
    values = found if isinstance(found, list) else [found]
    return {one if isinstance(one, str) else json.dumps(one) for one in values[:MOST_VALUES] if one is not None}
