"""What the shipped data file says of a model; it fills what the provider's own list leaves open.

`manage.py build_catalog` makes the file.
"""

import json
import re
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from catalog.evidence import ABILITIES, say
from catalog.models import LanguageModel

FILE = Path(__file__).parent / "data" / "models.json"
# A snapshot is what its model is: claude-sonnet-4-5-20250929, gpt-5-2025-08-07.
SNAPSHOT = re.compile(r"-(?:20\d{6}|20\d\d-\d\d-\d\d)$")


@cache
def shipped() -> tuple[date, dict[str, dict[str, Any]]]:
    """The day the file was written, and its entries by model key."""
    data = json.loads(FILE.read_text())
    entries = {
        f"{provider}/{name}": entry for provider, models in data["models"].items() for name, entry in models.items()
    }
    return date.fromisoformat(data["written_on"]), entries


def entry_of(key: str) -> dict[str, Any]:
    """Empty for a model the file does not know."""
    entries = shipped()[1]
    return entries.get(key) or entries.get(SNAPSHOT.sub("", key)) or {}


def enrich(row: LanguageModel) -> None:
    """Fill the row in place. The sandbox's models are its own; all of them take tools, on every wire."""
    entry, on = entry_of(row.key), shipped()[0]
    if row.sandbox:
        say(row, "tools", True, "data", on)
    if row.sandbox or not entry:
        return
    for ability in ABILITIES:
        known = True if ability in entry.get("can", ()) else False if ability in entry.get("cannot", ()) else None
        say(row, ability, known, "data", on)
    for fact, name in (("context_window", "context_window"), ("max_output_tokens", "max_output_tokens")):
        say(row, fact, entry.get(name), "data", on)
    for fact in ("efforts", "prices", "successor"):
        say(row, fact, entry.get(fact), "data", on)
    if retires := entry.get("retires"):
        say(row, "retires_at", datetime.combine(date.fromisoformat(retires), datetime.min.time(), UTC), "data", on)
    if row.label == row.model_id:
        row.label = entry["label"]
