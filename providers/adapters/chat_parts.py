"""One part of a Chat Completions answer while it grows, and what it becomes; no wire, no SDK."""

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from providers import wire
from providers.contract import Origin, Part, ReasoningPart, TextPart, ToolCallPart


@dataclass(slots=True)
class Growing:
    """A part that deltas still add to; `kind` is `text`, `reasoning`, `call` or `item`.

    `pieces` are words; among thoughts also chunks that are none. `native` is what else the vendor said of it.
    """

    index: int
    kind: str
    call_id: str = ""
    name: str = ""
    pieces: list[str | dict[str, Any]] = field(default_factory=list)
    native: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return wire.mended("".join(piece for piece in self.pieces if isinstance(piece, str)))

    @property
    def sealed(self) -> bool:
        return bool(self.native.get("signature") or self.native.get("closed"))

    def whole(self, origin: Origin) -> Part:
        match self.kind:
            case "text":
                return TextPart(text=self.text, origin=origin)
            case "reasoning":
                return ReasoningPart(text=self.text, kind="full", origin=origin, opaque=self._thought())
            case "call":
                return ToolCallPart(call_id=self.call_id, name=self.name, arguments=self.text or "{}", origin=origin)
            case _:
                return Part(origin=origin, opaque=self.native)

    def _thought(self) -> dict[str, Any] | None:
        """The vendor's own chunk, put together from its pieces; None where thoughts come as a field of their own, which
        no server wants back."""
        if not self.native:
            return None
        thinking: list[Any] = []
        for words, pieces in groupby(self.pieces, key=lambda piece: isinstance(piece, str)):
            if words:
                thinking.append({"type": "text", "text": wire.mended("".join(str(piece) for piece in pieces))})
            else:
                thinking += pieces
        return self.native | {"thinking": thinking}
