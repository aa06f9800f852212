"""A conversation as text that somebody else is told about it. Reasoning stays out; tools are mentioned in brief."""

from collections.abc import Iterable
from typing import Any

from chat.models import Message

WHO = {Message.Role.USER: "You", Message.Role.ASSISTANT: "Answer"}
ARGUMENT_CHARS, RESULT_CHARS = 200, 600


def pieces(rows: Iterable[Message]) -> list[str]:
    """One piece a message, in order; empty messages are left out."""
    return [f"### {WHO[Message.Role(row.role)]}\n\n{text}" for row in rows if (text := _text(row))]


def _text(row: Message) -> str:
    return "\n\n".join(words for part in row.parts if (words := _words(part))).strip()


def _words(part: dict[str, Any]) -> str:
    match part["type"]:
        case "text":
            return str(part["text"])
        case "tool_call":
            called = f"(Called `{part['name']}` with {_short(part['args'], ARGUMENT_CHARS)}"
            result = part.get("result")
            return called + (f"; it gave: {_short(str(result), RESULT_CHARS)})" if result is not None else ".)")
        case "reasoning":
            return ""
    return f"(Attached: {part.get('name') or part['type']}.)"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()}…"
