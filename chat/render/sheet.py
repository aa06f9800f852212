"""What a structured run looks like: the text of each try as code while it streams, then the value or what is wrong with
it. Speaks the same frames as `presentation`, a closed set, with a draft where a conversation has a stop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from chat import outputs
from chat.models import Run
from chat.protocol import Entry
from chat.render.code import code_block
from chat.render.names import By, by_started
from chat.structured import drafts

type Frame = dict[str, Any]

NOTES = {
    "not_supported": "This model takes no schema: it is told in words, and checked here.",
    "refused": "The provider did not take this schema: the model is told in words, and checked here.",
}


@dataclass(slots=True)
class Sketch:
    """One try as it grows."""

    key: str
    text: str = ""


class Sheet:
    def __init__(self, by: By) -> None:
        self.by = by
        self.sequence = 0
        self.terminal = False
        self.note = ""
        self._sketches: dict[str, Sketch] = {}

    def feed(self, entries: Iterable[Entry], labels: Mapping[str, str]) -> list[Frame]:
        """Frames that take a browser from the last sequence to the last of `entries`. `labels` names models by key."""
        frames: list[Frame] = []
        for entry in entries:
            frames += self._take(entry.event_type, entry.data, labels)
            self.sequence = entry.sequence
            self.terminal = self.terminal or entry.terminal
        return frames

    def _take(self, event_type: str, data: Mapping[str, Any], labels: Mapping[str, str]) -> list[Frame]:
        if event_type == "content_delta":
            return self._text(str(data.get("index", 0)), data["delta"])
        if event_type != "status":
            return []
        match data.get("state"):
            case "started":
                self.by = by_started(data, labels)
                return [{"t": "s", "h": self.html()}, {"t": "a", "x": f"{self.by.label} is writing."}]
            case "downgraded":
                self.note = NOTES.get(str(data.get("reason")), "")
                return [{"t": "s", "h": self.html()}]
            case "repair":
                return [{"t": "a", "x": "The output does not fit the schema. The model corrects it."}]
        return []

    def _text(self, key: str, delta: str) -> list[Frame]:
        known = key in self._sketches
        sketch = self._sketches.setdefault(key, Sketch(key))
        sketch.text += delta
        if known:
            return [{"t": "x", "i": key, "x": delta}]
        return [{"t": "st", "i": key, "h": render_to_string("chat/sheet_draft.html", {"sketch": sketch})}]

    def snapshot(self) -> Frame:
        """Everything so far; the first frame after a connect."""
        return {"t": "s", "q": self.sequence, "h": self.html()}

    def html(self) -> str:
        context = {"by": self.by, "note": self.note, "sketches": list(self._sketches.values())}
        return render_to_string("chat/sheet.html", context)

    def end(self, run: Run, by: By) -> list[Frame]:
        """The last frames: what came of it."""
        words = "The output fits the schema." if "value" in run.output else "The run has ended without a valid output."
        return [
            {"t": "a", "x": words},
            {"t": "end", "q": self.sequence, "state": run.state, "by": "", "tools": result(run, by)},
        ]


def result(run: Run, by: By) -> str:
    """HTML of what came of a run that has ended."""
    made = drafts(run)
    value = outputs.shown(run.output["value"]) if "value" in run.output else None
    context = {
        "run": run,
        "by": by,
        "valid": value is not None,
        # Highlighted by our own code, escaped there.
        "value": mark_safe(code_block(value, "json")) if value is not None else "",  # noqa: S308
        "faults": made[-1].faults if made else [],
        "drafts": made,
        "unfit": run.error.get("detail") == "invalid_output",
    }
    return render_to_string("chat/structured_result.html", context)
