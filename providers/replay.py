"""What of a conversation may be sent to a model again: its own items verbatim, everybody else's in plain form."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from providers.contract import Message, Origin, Part, ReasoningPart, ToolCallPart, ToolResultPart


def replayable(messages: Sequence[Message], origin: Origin) -> Iterator[Message]:
    """The messages as `origin` may read them.

    A part keeps its opaque item only if `origin` itself made it. Foreign reasoning, and foreign items that have no
    plain form, are left out. A tool call without its result, or a result without its call, is left out too: every
    vendor answers 400 to half a pair. An item's own reasoning goes with the call it led to.
    """
    whole = _pairs(messages)
    for message in messages:
        kept = [part for part in message.parts if _paired(part, whole)]
        broken = len(kept) < len(message.parts)
        parts = tuple(shown for part in kept if (shown := _as_read_by(part, origin, broken=broken)) is not None)
        if parts:
            yield replace(message, parts=parts)


def without_old_thoughts(messages: Sequence[Message]) -> Iterator[Message]:
    """The messages without what was thought before a person last spoke.

    Some vendors bind a thought to all that was said before it, and need it in its own tool loop only: after an edit,
    on another branch or of a shortened conversation an old one would make every request fail.
    """
    people = [index for index, message in enumerate(messages) if _is_persons(message)]
    newest = people[-1] if people else 0
    for index, message in enumerate(messages):
        if index < newest and message.role == "assistant":
            parts = tuple(part for part in message.parts if not isinstance(part, ReasoningPart))
            yield replace(message, parts=parts)
        else:
            yield message


def _is_persons(message: Message) -> bool:
    return message.role == "user" and any(not isinstance(part, ToolResultPart) for part in message.parts)


def _pairs(messages: Sequence[Message]) -> set[str]:
    """The ids of calls that are answered later on."""
    open_calls: set[str] = set()
    answered: set[str] = set()
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                open_calls.add(part.call_id)
            elif isinstance(part, ToolResultPart) and part.call_id in open_calls:
                answered.add(part.call_id)
    return answered


def _paired(part: Part, whole: set[str]) -> bool:
    return not isinstance(part, ToolCallPart | ToolResultPart) or part.call_id in whole


def _as_read_by(part: Part, origin: Origin, *, broken: bool) -> Part | None:
    own = part.origin == origin and part.opaque is not None
    if type(part) is Part or isinstance(part, ReasoningPart):
        return part if own and not broken else None
    return part if own else replace(part, origin=None, opaque=None)
