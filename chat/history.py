"""What a model is shown of a conversation: the branch from its root to the message that is answered."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from chat import native
from chat.media import Shown
from chat.models import Compaction, Message, Run
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


def branch_for(run: Run) -> list[Message]:
    """The branch that a run answers; its last message is the question, or the answer that is continued."""
    return branch_of(run.answer.parent) if run.answer is not None and run.answer.parent is not None else []


def after(branch: Sequence[Message], compaction: Compaction) -> Sequence[Message]:
    """The messages of a branch that a compaction on it does not stand for."""
    place = next((place for place, row in enumerate(branch, start=1) if row.pk == compaction.upto_id), 0)
    return branch[place:]


def messages_of(branch: Sequence[Message], files: Shown, *before: contract.Message) -> tuple[contract.Message, ...]:
    """The end of a branch as a request's messages, after what stands for its beginning; empty answers (failed, stopped
    at once) are left out."""
    shown = [*before, *(message for row in branch for message in said(row, files))]
    if branch and branch[-1].role == Message.Role.ASSISTANT:
        shown.append(contract.Message("user", (contract.TextPart(text=CONTINUE),)))
    return tuple(_merged(shown))


def said(row: Message, files: Shown) -> Sequence[contract.Message]:
    """What one message is to a model: the vendor's own items where the answer was completed, else what was shown of it.
    A call and its result are in one message of ours."""
    if row.role == Message.Role.USER:
        return (contract.Message("user", parts),) if (parts := files.get(row.pk, ()) + _texts(row.parts)) else ()
    return native.load(row.native) or tuple(_shown(row.parts))


def _texts(parts: Sequence[Mapping[str, Any]]) -> tuple[contract.Part, ...]:
    return tuple(contract.TextPart(text=part["text"]) for part in parts if part["type"] == "text" and part["text"])


def _shown(parts: Sequence[Mapping[str, Any]]) -> Iterator[contract.Message]:
    """An answer that was cut: its text, and its calls with their results. A call without a result did not happen."""
    for answered, group in groupby(parts, key=lambda part: "result" in part):
        if not answered:
            if said := _texts(tuple(group)):
                yield contract.Message("assistant", said)
            continue
        calls = tuple(group)
        yield contract.Message("assistant", tuple(_call(part) for part in calls))
        yield contract.Message("tool", tuple(_result(part) for part in calls))


def _call(part: Mapping[str, Any]) -> contract.Part:
    return contract.ToolCallPart(call_id=part["id"], name=part["name"], arguments=part["args"])


def _result(part: Mapping[str, Any]) -> contract.Part:
    return contract.ToolResultPart(
        call_id=part["id"], name=part["name"], content=part["result"], is_error=part.get("is_error", False)
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
