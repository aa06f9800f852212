"""What of a conversation may be sent to a model again: its own items verbatim, everybody else's in plain form."""

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from providers import wire
from providers.contract import Message, Origin, Part, ReasoningPart, ToolCallPart, ToolResultPart

LONGEST_NAME = 64
_STRANGE = re.compile(r"[^a-zA-Z0-9_-]")

# Of each call id, the results with the place of the message they came in.
type Results = dict[str, deque[tuple[int, ToolResultPart]]]


def replayable(messages: Sequence[Message], origin: Origin) -> Iterator[Message]:
    """The messages as `origin` may read them, each answer's results right behind it and in the order of its calls.

    A part keeps its opaque item only if `origin` itself made it. Foreign reasoning, and foreign items that have no
    plain form, are left out; foreign calls get names and ids that every vendor takes, each id only once. A call without
    its result, or a result without its call, is left out too: every vendor answers 400 to half a pair. So they do to a
    call whose arguments are no JSON object: it is written anew, even for its own maker. An item's own reasoning goes
    with the call it led to, as it was made.
    """
    results = _results(messages)
    taken: set[str] = set()
    for index, message in enumerate(messages):
        if message.role != "assistant":
            asked = tuple(part for part in message.parts if not isinstance(part, ToolCallPart | ToolResultPart))
            if asked:
                yield replace(message, parts=asked)
            continue
        pairs = dict(_paired(message, results, index, origin, taken))
        broken = any(
            isinstance(part, ToolCallPart) and _lost(part, pairs.get(n)) for n, part in enumerate(message.parts)
        )
        said = tuple(
            shown
            for number, part in enumerate(message.parts)
            if (shown := pairs[number][0] if number in pairs else _as_read_by(part, origin, broken=broken))
        )
        if said:
            yield replace(message, parts=said)
        if pairs:
            yield Message("tool", tuple(result for _, result in pairs.values()))


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


def _results(messages: Sequence[Message]) -> Results:
    found: Results = defaultdict(deque)
    for index, message in enumerate(messages):
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                found[part.call_id].append((index, part))
    return found


def _paired(
    message: Message, results: Results, index: int, origin: Origin, taken: set[str]
) -> Iterator[tuple[int, tuple[ToolCallPart, ToolResultPart]]]:
    """The calls of an answer that were answered later on, by their place in it, each with its result."""
    for number, part in enumerate(message.parts):
        if not isinstance(part, ToolCallPart):
            continue
        waiting = results[part.call_id]
        while waiting and waiting[0][0] <= index:
            waiting.popleft()
        if waiting:
            own = _own(part, origin) and part.call_id not in taken
            call = part if own else _plain(part, taken)
            taken.add(call.call_id)
            result = waiting.popleft()[1]
            yield number, (call, replace(result, call_id=call.call_id, name=call.name, origin=None, opaque=None))


def _lost(call: ToolCallPart, pair: tuple[ToolCallPart, ToolResultPart] | None) -> bool:
    """Whether the thought that led to a call would come back without it: it has no result, or no arguments to read."""
    return pair is None or wire.object_in(call.arguments) is None


def _own(part: Part, origin: Origin) -> bool:
    if part.origin != origin or part.opaque is None:
        return False
    return not isinstance(part, ToolCallPart) or wire.object_in(part.arguments) is not None


def _plain(call: ToolCallPart, taken: set[str]) -> ToolCallPart:
    """A call as every vendor takes it: some servers number theirs from the start in every answer, and a model may have
    called what nobody offered it."""
    name, number = _STRANGE.sub("_", call.call_id) or "call", 1
    call_id = name
    while call_id in taken:
        number += 1
        call_id = f"{name}_{number}"
    called = _STRANGE.sub("_", call.name)[:LONGEST_NAME] or "tool"
    return replace(call, call_id=call_id, name=called, origin=None, opaque=None)


def _as_read_by(part: Part, origin: Origin, *, broken: bool) -> Part | None:
    """A part that is no call; None for what `origin` must not see, and for half a pair."""
    if isinstance(part, ToolCallPart | ToolResultPart):
        return None
    if type(part) is Part or isinstance(part, ReasoningPart):
        return part if _own(part, origin) and not broken else None
    return part if _own(part, origin) else replace(part, origin=None, opaque=None)
