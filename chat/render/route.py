"""The stops of an answer as its journal grows, and of one that is finished. No clock, no transport."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from catalog.choices import size
from chat import outputs
from chat.models import Run
from chat.render.blocks import Blocks
from chat.render.cards import Button, Desk, Place, card
from chat.render.citations import Cited
from chat.render.names import By
from chat.render.stops import Nested, Stop

NOTES = {
    "length": "The answer reached its length limit.",
    "content_blocked": "The provider's filter ended this answer.",
    "refusal": "The model declined to answer.",
    "tool_calls": "The model wanted to call more tools than one answer may.",
    "context_full": "The conversation filled what the model can read at once.",
}
MOST_NUMBERS = 12
GOES_ON = frozenset({"length"})
WHY = {
    "rate_limited": "is rate limited",
    "provider_unavailable": "is not responding",
    "timeout": "took too long",
    "quota_exceeded": "has no quota left",
}
# Why a key stands in for a session: codes of failures, and what was known before anybody was asked.
SESSIONS = {
    "session_expired": "The session has expired",
    "session_malformed": "The stored session cannot be read",
    "invalid_auth": "The stored session cannot be read",
    "session_absent": "There is no session",
    "missing_auth": "The session was removed",
    "session_unsupported": "This provider knows no sessions",
}


class Route:
    """Stops in order. There is always one answer stop to write to until the route ends."""

    def __init__(self, by: By, cited: Cited | None = None) -> None:
        """`cited` is the document whose pages an answer may name."""
        self.by = by
        self.cited = cited
        self.stops: list[Stop] = []
        self._count = 0
        self.writing = self._add("answer", first=True, live=True)

    def _add(self, kind: Any, **fields: Any) -> Stop:
        self._count += 1
        stop = Stop(str(self._count), kind, by=self.by, blocks=Blocks(self.cited), **fields)
        self.stops.append(stop)
        return stop

    def open(self, kind: Any, **fields: Any) -> tuple[Stop, str]:
        """A new stop, and the key of the one it stands before (empty: it is the last)."""
        stop = self._add(kind, live=True, **fields)
        if self.writing.empty:
            self.stops.remove(stop)
            self.stops.insert(self.stops.index(self.writing), stop)
            return stop, self.writing.key
        return stop, ""

    def fallback(self, first: str, reason: str, by: By) -> Stop:
        """The change of route from the model that failed to the one that answers, before anything it says."""
        if reason in SESSIONS:
            title = f"{SESSIONS[reason]}, so {by.credential} is used."
            text = "That is what the settings of your providers allow."
        else:
            title = f"{first} {WHY.get(reason, 'failed')}, so {by.label} is answering."
            text = f"Workspace policy allows this fallback. Your message went to {by.provider_label}."
        stop, _ = self.open("fallback", title=title, text=text)
        stop.live = False
        self.by = self.writing.by = by
        return stop

    def reading(self, words: str) -> tuple[Stop, str]:
        """The stop that says how far a document is read, and the key of the one that a new one stands before."""
        for stop in self.stops:
            if stop.kind == "note":
                stop.title = words
                return stop, ""
        stop, before = self.open("note", title=words)
        stop.live = False
        return stop, before

    def left_out(self, server: Mapping[str, Any]) -> tuple[Stop, str]:
        """The remark that a server gave no tools, as the journal and the trace say it."""
        title = f"The tools of {server['server']} are left out. {server['reason']}"
        stop, before = self.open("note", title=title)
        stop.live = False
        return stop, before

    def compacting(self) -> Stop:
        """The older messages are being summarised; `compacted` says what came of it."""
        return self.live("compaction") or self.open("compaction", title="Summarising older messages to fit")[0]

    def compacted(self, facts: Mapping[str, Any], summary: str) -> Stop:
        stop = self.compacting()
        stop.live, stop.text, stop.name = False, summary, _sizes(facts)
        reused = bool(facts.get("reused"))
        stop.title = "Older messages are sent as a summary" if reused else "Older messages were summarised to fit"
        return stop

    def not_compacted(self) -> Stop:
        stop = self.compacting()
        stop.live, stop.title = False, "The older messages could not be summarised, so all of them are sent"
        return stop

    def way_back(self, place: Place, revoked: UUID | None = None) -> Stop | None:
        """What can be done about a compaction once the answer is there: `revoked` is one that was revoked since."""
        stop = next((stop for stop in self.stops if stop.kind == "compaction" and stop.text), None)
        if stop is not None and revoked:
            stop.button = Button("Use the summary again", do=f"restore:{revoked}")
        elif stop is not None and place.asked:
            stop.button = Button("Send everything instead", do=f"everything:{place.parent_id}")
        return stop

    def answer_stop(self) -> tuple[Stop, Stop | None]:
        """Where text goes now: the open stop, or a new one (second value) when something came after the last text."""
        if self.stops[-1] is self.writing:
            return self.writing, None
        self.writing = self._add("answer", live=True)
        return self.writing, self.writing

    def live(self, kind: str, name: str = "") -> Stop | None:
        """The stop of that kind that still grows (a tool call by its id)."""
        kinds = {kind, "specialist"} if kind == "tool" else {kind}
        found = [stop for stop in self.stops if stop.live and stop.kind in kinds and (not name or stop.title == name)]
        return found[-1] if found else None

    def delegated(self, call_id: str, name: str, nested: Nested) -> Stop | None:
        """A call that turns out to be a specialist's task."""
        stop = self.live("tool", call_id)
        if stop is not None:
            stop.kind, stop.name, stop.nested, stop.text = "specialist", name, nested, _task(stop.text)
        return stop

    def has_text(self) -> bool:
        return any(stop.kind == "answer" and not stop.empty for stop in self.stops)

    def ending(self, run: Run, place: Place | Desk | None) -> Stop | None:
        """The stop that says how the run ended, when there is more to say than the text. Without a place nothing can
        be done there about it."""
        if place is None:
            return self._plain_ending(run)
        if run.error:
            at = run.ended_at or run.created_at
            return self._add("error", card=card(run.error, self.by, place, at, partial=self.has_text()))
        if run.state == Run.State.STOPPED:
            return self._note("You stopped this answer.", place)
        if run.finish_reason in NOTES:
            return self._note(NOTES[run.finish_reason], place, goes_on=run.finish_reason in GOES_ON)
        return None if self.stops else self._note("No text arrived.", place)

    def _plain_ending(self, run: Run) -> Stop | None:
        if run.error:
            return self._add("note", title=str(run.error.get("message", "")), name=str(run.error.get("code", "")))
        if run.state == Run.State.STOPPED:
            return self._add("note", title="You stopped this.")
        note = NOTES.get(run.finish_reason, "" if self.stops else "No text arrived.")
        return self._add("note", title=note) if note else None

    def _note(self, title: str, place: Place | Desk, *, goes_on: bool = True) -> Stop:
        on = place.on and self.has_text()
        again = Button("Continue the answer", do=place.on) if on else Button("Try again", do=place.again)
        return self._add("note", title=title, button=again if goes_on else None)


def reading_words(data: Mapping[str, Any]) -> str:
    """Of a `status` event about the pages of a document."""
    match data:
        case {"state": "part", "done": done, "of": count}:
            return f"Read {done} of {count} parts."
        case {"state": "merging", "parts": count}:
            return f"Read all {count} parts. The summary is written from notes on each."
        case {"how": "all", "of": count}:
            return f"All {count} pages were sent." if count != 1 else "The one page was sent."
        case {"how": "relevant", "sent": sent, "of": count}:
            return f"Of {count} pages, those that share most words with the question were sent: {_numbers(sent)}."
        case {"how": "beginning", "sent": sent, "of": count}:
            return (
                f"No page shares a word with the question. Of {count} pages the beginning was sent: {_numbers(sent)}."
            )
    return ""


def _numbers(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:MOST_NUMBERS])
    return shown if len(numbers) <= MOST_NUMBERS else f"{shown} and {len(numbers) - MOST_NUMBERS} more"


def document_route(run: Run, by: By, moves: Sequence[tuple[str, str, By]], cited: Cited) -> Route:
    """The route of a run about a document that has ended."""
    read = run.output.get("parts_read")
    words = reading_words({"state": "merging", "parts": read} if read else run.output.get("pages", {}))
    route = finished_route(run.output.get("parts", []), by, Way(moves=moves), cited)
    if words:
        stop, _ = route.reading(words)
        route.stops.remove(stop)
        route.stops.insert(0, stop)
    return route


def _task(args: str) -> str:
    """The task in a call's arguments, which may be anything."""
    try:
        value = outputs.parse(args)
    except outputs.NotJson:
        return args
    return str(value["task"]) if isinstance(value, dict) and "task" in value else args


def _sizes(facts: Mapping[str, Any]) -> str:
    before, after = (size(facts.get(name)) or "some" for name in ("tokens_before", "tokens_after"))
    words = f"{facts.get('messages', 0)} messages became a summary: about {after} tokens are sent instead of {before}."
    gone = facts.get("left_out")
    return f"{words} Attachments that are not sent any more: {gone}." if gone else words


@dataclass(frozen=True, slots=True)
class Way:
    """What happened to an answer before its text: its fallbacks (the model that failed, the code of the failure, who
    came next), the servers whose tools it had to do without, the facts and the text of the summary that stood for older
    messages, the seconds that it reasoned, None when nobody measured them; and its delegated tasks by call (the
    specialist's name, its run)."""

    reasoned: int | None = None
    moves: Sequence[tuple[str, str, By]] = ()
    left_out: Sequence[Mapping[str, Any]] = ()
    compacted: tuple[Mapping[str, Any], str] | None = None
    tasks: Mapping[str, tuple[str, Nested]] = field(default_factory=dict)


def finished_route(parts: list[Mapping[str, Any]], by: By, way: Way = Way(), cited: Cited | None = None) -> Route:
    """The route of a stored message, every stop closed."""
    route = Route(by, cited)
    if way.compacted:
        route.compacted(*way.compacted)
    for server in way.left_out:
        route.left_out(server)
    for first, reason, after in way.moves:
        route.fallback(first, reason, after)
    route.by = route.writing.by = by
    # Measured from the first thought to the last: with tools between them it says nothing.
    reasoned = way.reasoned if sum(part["type"] == "reasoning" for part in parts) == 1 else None
    for part in parts:
        match part["type"]:
            case "text":
                stop, _ = route.answer_stop()
                stop.blocks = Blocks.finished(part["text"], cited)
            case "reasoning":
                stop, _ = route.open("reasoning", text=part["text"], seconds=reasoned)
            case "tool_call":
                stop = _called(route, part, way.tasks)
            case _:
                continue
        stop.live = False
    if route.writing.empty:
        route.stops.remove(route.writing)
    return route


def _called(route: Route, part: Mapping[str, Any], tasks: Mapping[str, tuple[str, Nested]]) -> Stop:
    stop, _ = route.open("tool", name=part["name"], title=part["id"], text=part["args"])
    if part["id"] in tasks:
        route.delegated(part["id"], *tasks[part["id"]])
    if "result" in part:
        stop.answered(part)
    return stop
