"""Joins the halves of characters that a vendor split between two deltas; nothing else about events."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from providers.events import Finished, PartDone, ReasoningDelta, StreamEvent, TextDelta, ToolArgsDelta
from providers.wire import mended

type Delta = TextDelta | ReasoningDelta | ToolArgsDelta

FIRST_HALVES = ("\ud800", "\udbff")


class Halves:
    """Holds back a delta's last character when it is the first half of a surrogate pair, until its second half comes.

    A half that stays alone becomes U+FFFD when its part ends.
    """

    def __init__(self) -> None:
        self._held: dict[int, Delta] = {}

    def pass_on(self, event: StreamEvent) -> Iterable[StreamEvent]:
        match event:
            case TextDelta(part_index=index, text=text) | ReasoningDelta(part_index=index, text=text):
                return self._delta(event, index, text)
            case ToolArgsDelta(part_index=index, fragment=text):
                return self._delta(event, index, text)
            case PartDone() | Finished() if self._held:
                late = [_with(delta, "\ufffd") for delta in self._held.values()]
                self._held.clear()
                return (*late, event)
            case _:
                return (event,)

    def _delta(self, event: Delta, index: int, text: str) -> Iterable[StreamEvent]:
        held = self._held.pop(index, None) if self._held else None
        if held is None and not ends_in_half(text):
            return (event,)
        if held is not None:
            text = _text(held) + text
        if ends_in_half(text):
            self._held[index] = _with(event, text[-1])
            text = text[:-1]
        return (_with(event, mended(text)),) if text else ()


def ends_in_half(text: str) -> bool:
    """Whether the other half of its last character is still to come."""
    return bool(text) and FIRST_HALVES[0] <= text[-1] <= FIRST_HALVES[1]


def _text(delta: Delta) -> str:
    return delta.fragment if isinstance(delta, ToolArgsDelta) else delta.text


def _with(delta: Delta, text: str) -> Delta:
    return replace(delta, fragment=text) if isinstance(delta, ToolArgsDelta) else replace(delta, text=text)


async def whole(events: AsyncIterator[StreamEvent]) -> AsyncGenerator[StreamEvent]:
    """The same events with whole characters. Closing this closes `events`."""
    halves = Halves()
    async with aclosing(cast(AsyncGenerator[StreamEvent], events)) as source:
        async for event in source:
            for passed in halves.pass_on(event):
                yield passed
