"""From the journal to frames for a browser. A viewer holds one presentation of a stream and feeds it what it reads.

Frames, a closed set (each also carries `stream`): `s` everything so far, `c` finished blocks and the new tail, `x` text
to append, `st` a stop made or replaced, `er` the error card, `a` words for the status line, `end` the last one.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.template.loader import render_to_string

from chat.models import Run
from chat.protocol import Entry
from chat.render.cards import Desk, Place
from chat.render.names import By, by_started
from chat.render.route import Route, reading_words
from chat.render.stops import Nested, Stop

type Frame = dict[str, Any]


class Presentation:
    """What one stream looks like at `sequence`; `feed` says how that changed."""

    def __init__(self, by: By, place: Place | Desk | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.place = place
        self.route = Route(by, place.cited if place else None)
        self.sequence = 0
        self.terminal = False
        self._clock = clock
        self._since = 0.0
        self._pending: list[str] = []
        self._frames: list[Frame] = []

    @property
    def by(self) -> By:
        return self.route.by

    def feed(self, entries: Iterable[Entry], labels: Mapping[str, str]) -> list[Frame]:
        """Frames that take a browser from the last sequence to the last of `entries`. `labels` names models by key."""
        for entry in entries:
            self._take(entry.event_type, entry.data, labels)
            self.sequence = entry.sequence
        self._flush()
        frames, self._frames = self._frames, []
        return frames

    def snapshot(self) -> Frame:
        """Everything so far; the first frame after a connect."""
        return {"t": "s", "q": self.sequence, "h": self.html()}

    def html(self) -> str:
        return render_to_string("chat/route.html", {"stops": self.route.stops})

    def end(self, run: Run, by: By, footer: str) -> list[Frame]:
        """The last frames of a run that has ended: how it ended, who answered, what can be done with it."""
        frames: list[Frame] = []
        self.route.by = by
        if self.route.writing.empty and self.route.writing in self.route.stops:
            self.route.stops.remove(self.route.writing)
            frames.append({"t": "st", "i": self.route.writing.key, "h": ""})
        if isinstance(self.place, Place) and (compaction := self.route.way_back(self.place)):
            frames.append({"t": "st", "i": compaction.key, "h": compaction.render()})
        if ending := self.route.ending(run, self.place):
            kind = {"t": "er", "code": ending.card.code} if ending.card else {"t": "st"}
            frames.append(kind | {"i": ending.key, "h": ending.render()})
        who = render_to_string("chat/by.html", {"by": by})
        last = {"t": "end", "q": self.sequence, "state": run.state, "by": who, "tools": footer}
        return [*frames, {"t": "a", "x": self._last_words(run)}, last]

    def _last_words(self, run: Run) -> str:
        if run.state == Run.State.STOPPED:
            return "Stopped."
        if run.error:
            return ""
        words = sum(len(stop.blocks.text.split()) for stop in self.route.stops if stop.kind == "answer")
        return f"Answer complete, {words} words."

    # ------------------------------------------------------------ one entry
    def _take(self, event_type: str, data: Mapping[str, Any], labels: Mapping[str, str]) -> None:
        match event_type:
            case "content_delta":
                self._text(data["delta"])
            case "reasoning_delta":
                self._reasoning(data["delta"])
            case "tool_call_start":
                self._close_live()
                self._show(*self.route.open("tool", name=data["name"], title=data["tool_call_id"], text=data["args"]))
                self._say(f"Called {data['name']}.")
            case "tool_call_delta":
                self._tool_input(data)
            case "tool_call_result":
                self._tool_result(data)
            case "status":
                self._status(data, labels)
            case "done" | "error":
                self._finish()

    def _text(self, delta: str) -> None:
        self._close_reasoning()
        _, opened = self.route.answer_stop()
        if opened:
            self._flush()
            self._show(opened)
        self._pending.append(delta)

    def _reasoning(self, delta: str) -> None:
        stop = self.route.live("reasoning")
        if stop is None:
            self._close_live()
            stop, before = self.route.open("reasoning")
            self._since = self._clock()
            self._show(stop, before)
        stop.text += delta
        self._append(stop, delta)

    def _tool_input(self, data: Mapping[str, Any]) -> None:
        if stop := self.route.live("tool", data["tool_call_id"]):
            stop.text += data["delta"]
            self._append(stop, data["delta"])

    def _tool_result(self, data: Mapping[str, Any]) -> None:
        if stop := self.route.live("tool", data["tool_call_id"]):
            stop.answered(data)
            self._show(stop)
            self._say(f"{stop.name} failed." if stop.failed else "")

    def _waiting(self, call_ids: Iterable[str]) -> None:
        for call_id in call_ids:
            if stop := self.route.live("tool", call_id):
                stop.waiting = True
                self._show(stop)
                self._say(f"Waiting for the client's tool {stop.name}.")

    def _status(self, data: Mapping[str, Any], labels: Mapping[str, str]) -> None:
        match data.get("state"):
            case "started":
                self.route.by = self.route.writing.by = by_started(data, labels)
                self._show(self.route.writing)
                self._say(f"{self.by.label} is answering." if self.by.label else "")
            case "fallback":
                stop = self.route.fallback(self.by.label, str(data.get("reason", "")), by_started(data, labels))
                self._show(stop, self.route.writing.key)
                self._show(self.route.writing)
                self._say(stop.title)
            case "reading_files":
                self._say("Reading the files of the message.")
            case "pages" | "part" | "merging":
                self._read(data)
            case "awaiting_local_tool_results":
                self._waiting(data["tool_call_ids"])
            case "tools_unavailable":
                self._show(*self.route.left_out(data))
            case "delegated":
                self._delegated(data, labels)
            case "compacting" | "compacted" | "compaction_failed":
                self._compaction(data)
            case "renewal" | "retry" as state:
                self._say("Renewing the session." if state == "renewal" else f"{self.by.label} failed, trying again.")

    def _read(self, data: Mapping[str, Any]) -> None:
        """How far a document is read; one line that changes."""
        words = reading_words(data)
        stop, before = self.route.reading(words)
        self._show(stop, before)
        self._say(words)

    def _delegated(self, data: Mapping[str, Any], labels: Mapping[str, str]) -> None:
        nested = Nested(by_started(data, labels), stream=str(data["stream_id"]))
        if stop := self.route.delegated(str(data["tool_call_id"]), str(data["specialist"]), nested):
            self._show(stop)
            self._say(f"{stop.name} is working.")

    def _compaction(self, data: Mapping[str, Any]) -> None:
        match data["state"]:
            case "compacted":
                stop = self.route.compacted(data, str(data.get("summary", "")))
            case "compaction_failed":
                stop = self.route.not_compacted()
            case _:
                stop = self.route.compacting()
        self._show(stop, self.route.writing.key)
        self._say(f"{stop.title}.")

    def _finish(self) -> None:
        self._close_live()
        for stop in [stop for stop in self.route.stops if stop.live]:
            stop.live = False
            if stop.kind in {"tool", "specialist"}:
                self._show(stop)
        self.terminal = True

    # ------------------------------------------------------------ frames
    def _show(self, stop: Stop, before: str = "") -> None:
        place = {"b": before} if before else {}
        self._frames.append({"t": "st", "i": stop.key, "h": stop.render(), **place})

    def _append(self, stop: Stop, text: str) -> None:
        last = self._frames[-1] if self._frames else {}
        if last.get("t") == "x" and last["i"] == stop.key:
            last["x"] += text
        else:
            self._frames.append({"t": "x", "i": stop.key, "x": text})

    def _say(self, words: str) -> None:
        if words:
            self._frames.append({"t": "a", "x": words})

    def _flush(self) -> None:
        """Text that has gathered becomes finished blocks and tail."""
        if not self._pending:
            return
        text, self._pending = "".join(self._pending), []
        stop = self.route.writing
        if html := stop.blocks.feed(text):
            self._frames.append({"t": "c", "i": stop.key, "h": html, "x": stop.blocks.tail})
        else:
            self._frames.append({"t": "x", "i": stop.key, "x": text})

    def _close_reasoning(self) -> None:
        if stop := self.route.live("reasoning"):
            stop.live, stop.seconds = False, max(1, round(self._clock() - self._since))
            self._show(stop)

    def _close_live(self) -> None:
        """What was being written ends where something else begins."""
        self._close_reasoning()
        self._flush()
        stop = self.route.writing
        if not stop.empty and stop.live:
            html, stop.live = stop.blocks.finish(), False
            self._frames.append({"t": "c", "i": stop.key, "h": html, "x": "", "d": 1})
            if stop.blocks.whole() is not None:
                stop.blocks = stop.blocks.finished(stop.blocks.text, stop.blocks.cited)
                self._show(stop)
