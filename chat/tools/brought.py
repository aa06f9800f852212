"""The tools that a client brings to its run, and what may be said about choosing: their bounds. Executing them is the
client's, waiting for it `waiting`."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from accounts.problems import Problem
from chat import schemas
from chat.tools.contract import Tool
from providers.contract import ToolSpec

MOST_TOOLS = 64
DESCRIPTION_CHARS = 4_000
TOTAL_BYTES = 256 * 1024
NAME_FORM = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
CHOICES = frozenset({"auto", "none", "required"})


def check(specs: Sequence[ToolSpec], choice: str, taken: Collection[str]) -> None:
    """`taken` are names of tools that Parley brings. Raises Problem 413 or 422."""
    if len(specs) > MOST_TOOLS or _size(specs) > TOTAL_BYTES:
        detail = f"At most {MOST_TOOLS} tools of {TOTAL_BYTES // 1024} KiB together."
        raise Problem(413, "too_many_tools", "These are too many tools.", detail)
    seen: set[str] = set()
    for spec in specs:
        _check(spec, seen | set(taken))
        seen.add(spec.name)
    if choice not in CHOICES | seen | set(taken):
        raise _refused(choice, "Choose auto, none, required, or the name of a tool of this run.", "invalid_tool_choice")
    if choice != "auto" and not specs:
        raise _refused(choice, "A choice goes with tools of your own.", "invalid_tool_choice")


def check_names(specs: Sequence[ToolSpec], prefix: str) -> None:
    """Names with this beginning are kept for tools that Parley makes for the run. Raises Problem 422."""
    taken = next((spec.name for spec in specs if spec.name.startswith(prefix)), None)
    if taken is not None:
        raise _refused(taken, f"Names that begin with {prefix} are those of the specialists here.")


def _check(spec: ToolSpec, taken: set[str]) -> None:
    if not NAME_FORM.match(spec.name):
        raise _refused(spec.name, "A name has 1 to 64 letters, digits, dashes and underscores.")
    if spec.name in taken:
        raise _refused(spec.name, "Another tool of this run has this name.")
    if len(spec.description) > DESCRIPTION_CHARS:
        raise _refused(spec.name, f"A description may have {DESCRIPTION_CHARS:,} characters.")
    try:
        schemas.check(spec.parameters)
    except schemas.SchemaRefused as refused:
        raise _refused(spec.name, f"Its parameters: {refused}") from None
    if spec.parameters.get("type") != "object":
        raise _refused(spec.name, 'Its parameters are a schema with the type "object".')


def _refused(name: str, detail: str, code: str = "invalid_tool") -> Problem:
    title = "This tool cannot be used." if code == "invalid_tool" else "This choice cannot be made."
    return Problem(422, code, title, detail, tool=name[:64])


def _size(specs: Sequence[ToolSpec]) -> int:
    # What cannot be written as JSON is refused as a schema.
    texts = (json.dumps(dict(spec.parameters), default=str) + spec.description for spec in specs)
    return sum(len(text.encode("utf-8", "replace")) for text in texts)


def tools_of(stored: Sequence[Mapping[str, Any]]) -> list[Tool]:
    """From a run's input."""
    return [Tool(ToolSpec(one["name"], one["description"], one["parameters"]), None) for one in stored]
