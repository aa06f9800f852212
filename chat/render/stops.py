"""An answer as stops on a line: reasoning, tool calls, text, a change of route, a note, an error; and their HTML."""

from dataclasses import dataclass, field
from typing import Any, Literal

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from chat.render.blocks import Blocks
from chat.render.cards import Button, Card
from chat.render.markdown import render
from chat.render.names import By

type Kind = Literal["reasoning", "tool", "answer", "fallback", "note", "error"]


@dataclass(slots=True)
class Stop:
    """One stop. `key` is unique within its answer; `live` while it grows; `text` is raw until it is rendered."""

    key: str
    kind: Kind
    live: bool = False
    by: By = field(default_factory=By)
    first: bool = False
    blocks: Blocks = field(default_factory=Blocks)
    text: str = ""
    seconds: int | None = None
    name: str = ""
    result: Any = None
    card: Card | None = None
    title: str = ""
    button: Button | None = None

    @property
    def html(self) -> SafeString:
        """Finished text. It went through the sanitizer when it was rendered."""
        source = self.blocks.committed if self.kind == "answer" else render(self.text)
        return mark_safe(source)  # noqa: S308 - the one place where rendered answers are declared safe

    @property
    def empty(self) -> bool:
        return not self.blocks.text

    def render(self) -> str:
        return render_to_string(f"chat/stops/{self.kind}.html", {"stop": self})
