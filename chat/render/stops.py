"""An answer as stops on a line: reasoning, tool calls, text, a change of route, a note, an error; and their HTML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from chat.render.blocks import Blocks
from chat.render.cards import Button, Card
from chat.render.markdown import render
from chat.render.names import By

type Kind = Literal["reasoning", "tool", "answer", "fallback", "compaction", "specialist", "note", "error"]


SHOWN_CHARS = 8_000


@dataclass(frozen=True, slots=True)
class Nested:
    """The run of a specialist inside of an answer: who answers it, and its own route as HTML. While it goes on it is
    followed as `stream` from sequence `after`; a stream of nobody ("") has ended."""

    by: By
    html: str = ""
    stream: str = ""
    after: int = 0
    failed: bool = False


@dataclass(slots=True)
class Stop:
    """One stop. `key` is unique within its answer; `live` while it grows; `text` is raw until it is rendered. Of a tool
    call, `title` is its id, `text` what it was called with and `seconds` how long it took; `waiting` says that the
    client executes it, `failed` that the result says what went wrong."""

    key: str
    kind: Kind
    live: bool = False
    by: By = field(default_factory=By)
    first: bool = False
    blocks: Blocks = field(default_factory=Blocks)
    text: str = ""
    seconds: float | None = None
    name: str = ""
    result: str | None = None
    failed: bool = False
    waiting: bool = False
    card: Card | None = None
    title: str = ""
    button: Button | None = None
    nested: Nested | None = None

    @property
    def html(self) -> SafeString:
        """Finished text. It went through the sanitizer when it was rendered."""
        source = self.blocks.committed if self.kind == "answer" else render(self.text)
        return mark_safe(source)  # noqa: S308 - the one place where rendered answers are declared safe

    def answered(self, data: Mapping[str, Any]) -> None:
        """A tool call has its result, as the journal and the message keep it."""
        self.result, self.failed, self.live = data["result"], data.get("is_error", False), False
        self.seconds = round(data["ms"] / 1000, 1) if "ms" in data else None

    @property
    def shown_result(self) -> str:
        """A page shows the beginning of what a tool gave; the model had all of it."""
        result = self.result or ""
        if len(result) <= SHOWN_CHARS:
            return result
        return f"{result[:SHOWN_CHARS]}…\n[{len(result) - SHOWN_CHARS:,} more characters went to the model.]"

    @property
    def empty(self) -> bool:
        return not self.blocks.text

    def render(self) -> str:
        return render_to_string(f"chat/stops/{self.kind}.html", {"stop": self})
