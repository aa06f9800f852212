"""One content block of an answer while it grows, and the part that it becomes; no wire, no SDK."""

from dataclasses import dataclass, field
from typing import Any

from providers import wire
from providers.citations import citation
from providers.contract import Origin, Part, ReasoningPart, TextPart, ToolCallPart
from providers.events import Citation


@dataclass(slots=True)
class Block:
    """`raw` is the block as it began, `pieces` what was added to its text, its thoughts or the JSON of its input."""

    raw: dict[str, Any]
    pieces: list[str] = field(default_factory=list)
    signature: str = ""
    citations: list[dict[str, Any]] = field(default_factory=list)
    unread: bool = False

    @property
    def kind(self) -> str:
        return str(self.raw.get("type") or "")

    @property
    def call_id(self) -> str:
        return str(self.raw.get("id") or "")

    @property
    def name(self) -> str:
        return str(self.raw.get("name") or "")

    @property
    def opening(self) -> str:
        """The text that a block begins with, which is none at the vendor's own."""
        found = self.raw.get({"text": "text", "thinking": "thinking"}.get(self.kind, ""))
        return found if isinstance(found, str) else ""

    @property
    def text(self) -> str:
        return wire.mended("".join(self.pieces))

    def part(self, origin: Origin) -> Part | None:
        """What the block has become, None for nothing worth keeping. Its opaque form is the block, made whole."""
        match self.kind:
            case "text":
                return self._said(origin)
            case "thinking":
                return self._thought(origin)
            case "redacted_thinking":
                return ReasoningPart(origin=origin, opaque=self.raw)
            case "tool_use":
                return self._called(origin)
            case _:
                whole = self._with_input()
                return None if self.unread or whole is None else Part(origin=origin, opaque=whole)

    def _said(self, origin: Origin) -> Part | None:
        if not self.text:
            return None
        cited = {**self.raw, "text": self.text, "citations": self.citations} if self.citations else None
        return TextPart(text=self.text, origin=origin, opaque=cited)

    def _thought(self, origin: Origin) -> Part | None:
        """A thought without its signature is never sent back: one would make every later request fail."""
        signature = self.signature or self.raw.get("signature")
        whole = {**self.raw, "thinking": self.text, "signature": signature} if signature else None
        return ReasoningPart(text=self.text, origin=origin, opaque=whole) if self.text or whole else None

    def _called(self, origin: Origin) -> Part:
        arguments = self.text or wire.dumped(self.raw.get("input") or {})
        return ToolCallPart(
            call_id=self.call_id, name=self.name, arguments=arguments, origin=origin, opaque=self._with_input()
        )

    def _with_input(self) -> dict[str, Any] | None:
        """The block with the input that arrived in pieces; None when it was cut off."""
        if not self.pieces:
            return self.raw
        given = wire.loose(self.text.encode())
        return {**self.raw, "input": given} if given or self.text.strip() == "{}" else None


def source(told: dict[str, Any]) -> Citation:
    """A place in a document, a page on the web or a search result. The vendor's last page is the one after it."""
    after = told.get("end_page_number")
    return citation(
        title=told.get("document_title") or told.get("title"),
        url=told.get("url") or told.get("source"),
        cited_text=told.get("cited_text"),
        document_index=told.get("document_index"),
        page=told.get("start_page_number"),
        last_page=after - 1 if isinstance(after, int) else None,
        source_start=told.get("start_char_index"),
        source_end=told.get("end_char_index"),
    )
