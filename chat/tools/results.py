"""What a call gave, as the journal and the model get it: the same bounded text for both."""

import time
from typing import Any

from chat.protocol import clean
from chat.tools.contract import Scope
from providers.contract import ToolCallPart, ToolResultPart

RESULT_CHARS = 50_000

type Answered = tuple[ToolCallPart, ToolResultPart]


def note(
    call: ToolCallPart, content: str, scope: Scope, *, is_error: bool = False, began: float | None = None
) -> ToolResultPart:
    """Write a result to the journal. `began` is when the call was made, on the monotonic clock."""
    said = bounded(clean(content))
    data: dict[str, Any] = {"tool_call_id": clean(call.call_id), "result": said}
    if is_error:
        data["is_error"] = True
    if began is not None:
        data["ms"] = round((time.monotonic() - began) * 1000)
    scope.writer.add("tool_call_result", data)
    return ToolResultPart(call_id=call.call_id, name=call.name, content=said, is_error=is_error)


def bounded(text: str) -> str:
    """At most RESULT_CHARS characters, and words that say what is missing."""
    if len(text) <= RESULT_CHARS:
        return text
    return f"{text[:RESULT_CHARS]}\n[Cut here: {RESULT_CHARS:,} of {len(text):,} characters are shown.]"
