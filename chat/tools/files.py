"""The tool that reads a person's own files: those of the conversation that asks, and the documents of their library."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.policies import Actor
from chat.database import in_db
from chat.models import Attachment
from chat.tools.contract import Scope, Tool, ToolFailed
from providers.contract import ToolSpec

MOST_CHARS = 40_000
NAMES_TOLD = 20
PARAMETERS = {
    "type": "object",
    "properties": {
        "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "description": "Its name, or a part of it.",
        },
        "page": {"type": "integer", "minimum": 1, "default": 1, "description": "The page to begin with."},
    },
    "required": ["name"],
    "additionalProperties": False,
}
SPEC = ToolSpec(
    "read_file",
    "Reads the text of a file: one of this conversation, or a document of the person you talk to.",
    PARAMETERS,
)


def tool(actor: Actor) -> Tool | None:
    """None for a person who has no file."""

    async def read(arguments: Mapping[str, Any], scope: Scope) -> str:
        return await in_db(_read, _readable(actor, scope.run.conversation_id), arguments)

    return Tool(SPEC, read) if Attachment.objects.visible_to(actor).exists() else None


def _readable(actor: Actor, conversation_id: UUID | None) -> QuerySet[Attachment]:
    ready = Attachment.objects.visible_to(actor).filter(state=Attachment.State.READY)
    sent = Q(conversation_id=conversation_id, sent_at__isnull=False) if conversation_id else Q(pk=None)
    return ready.filter(Q(purpose=Attachment.Purpose.DOCUMENT) | sent).order_by("-created_at")


def _read(rows: QuerySet[Attachment], arguments: Mapping[str, Any]) -> str:
    """Raises ToolFailed when no file, or more than one, has this name."""
    name = arguments["name"]
    found = list(rows.filter(filename__iexact=name)[:1]) or list(rows.filter(filename__icontains=name)[:NAMES_TOLD])
    if len(found) != 1:
        there = [row.filename for row in found] or list(rows.values_list("filename", flat=True)[:NAMES_TOLD])
        said = "More than one file is called that" if found else "There is no such file"
        raise ToolFailed(f"{said}. These are there: {', '.join(there) or 'none'}.")
    return _text(found[0], int(arguments.get("page", 1)))


def _text(row: Attachment, first: int) -> str:
    """Pages from the first asked for, as many as fit, and words for what follows."""
    pages = list(row.pages.filter(number__gte=first).values_list("number", "text"))
    if not any(text.strip() for _, text in pages):
        raise ToolFailed(f"{row.filename} has no readable text from {row.unit} {first} on.")
    shown: list[str] = []
    left = MOST_CHARS
    for number, text in pages:
        if shown and len(text) > left:
            return "\n\n".join([*shown, f"[It goes on: call again with page {number}.]"])
        shown.append(f"[{row.unit} {number}]\n{text[:MOST_CHARS]}")
        left -= len(text)
    return "\n\n".join(shown)
