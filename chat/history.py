"""What a model is shown of a conversation: the branch from its root to the message that is answered."""

from typing import Any
from uuid import UUID

from catalog.routing import Plan
from chat import media, native
from chat.models import Message, Run
from providers import contract

CONTINUE = (
    "Your previous answer was cut off. Continue it exactly where it ends: do not repeat what you wrote, "
    "do not comment on the interruption."
)


def branch_of(message: Message) -> list[Message]:
    """The messages from the root of the conversation to `message`, in order. One query."""
    rows = {row.pk: row for row in Message.objects.filter(conversation_id=message.conversation_id)}
    branch: list[Message] = []
    current: UUID | None = message.pk
    while current is not None and current in rows:
        branch.append(rows[current])
        current = rows[current].parent_id
    return branch[::-1]


def messages_for(run: Run, where: Plan) -> tuple[contract.Message, ...]:
    """The request's messages for a run's answer; empty answers (failed, stopped at once) are left out. Files are shown
    as the plan's models take them. Raises ProviderError when those of the newest message cannot be."""
    if run.answer is None or run.answer.parent is None:
        return ()
    branch = branch_of(run.answer.parent)
    files = media.parts_of(branch, where)
    shown = [contract.Message(_role(row), parts) for row in branch if (parts := files.get(row.pk, ()) + _parts(row))]
    if branch[-1].role == Message.Role.ASSISTANT:
        shown.append(contract.Message("user", (contract.TextPart(text=CONTINUE),)))
    return tuple(_merged(shown))


def _role(row: Message) -> Any:
    return "assistant" if row.role == Message.Role.ASSISTANT else "user"


def _parts(row: Message) -> tuple[contract.Part, ...]:
    """The vendor's own parts where the answer was completed, else what was shown of it."""
    return native.load(row.native) or tuple(
        contract.TextPart(text=part["text"]) for part in row.parts if part["type"] == "text" and part["text"]
    )


def _merged(messages: list[contract.Message]) -> list[contract.Message]:
    """Neighbours of one role become one message: several wires refuse two in a row."""
    merged: list[contract.Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            merged[-1] = contract.Message(message.role, merged[-1].parts + message.parts)
        else:
            merged.append(message)
    return merged
