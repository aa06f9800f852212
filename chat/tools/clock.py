"""The tool that tells the time."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from chat.tools.contract import Scope, Tool, ToolFailed
from providers.contract import ToolSpec

UNIVERSAL = "UTC"
PARAMETERS = {
    "type": "object",
    "properties": {
        "timezone": {
            "type": "string",
            "maxLength": 64,
            "default": UNIVERSAL,
            "description": "An IANA name such as Europe/Oslo.",
        }
    },
    "additionalProperties": False,
}


async def tell(arguments: Mapping[str, Any], scope: Scope) -> str:
    asked = arguments.get("timezone") or UNIVERSAL
    name = (await asyncio.to_thread(_names)).get(_plain(asked))
    if name is None:
        raise ToolFailed(f"There is no time zone {asked}. Use an IANA name such as Europe/Oslo.")
    now = datetime.now(UTC).astimezone(ZoneInfo(name))
    return f"{now:%A}, {now.isoformat(timespec='seconds')} ({name})"


@cache
def _names() -> dict[str, str]:
    """Zones by their name, and by their city alone where one zone has it."""
    zones = sorted(available_timezones())
    cities: dict[str, list[str]] = {}
    for zone in zones:
        cities.setdefault(_plain(zone.rpartition("/")[2]), []).append(zone)
    return {city: found[0] for city, found in cities.items() if len(found) == 1} | {
        _plain(zone): zone for zone in zones
    }


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


TOOL = Tool(ToolSpec("clock", "Tells the date, the weekday and the time now, in a time zone.", PARAMETERS), tell)
