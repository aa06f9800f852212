"""Turns of a conversation as HTML: a person's message, an answer with its route, and the tools under each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.template.loader import render_to_string

from chat.models import Compaction, Conversation, Message, Run, StreamEvent
from chat.protocol import Entry
from chat.render.cards import Desk, Place
from chat.render.names import By, by_of, labels_of, moves_of
from chat.render.presentation import Presentation
from chat.render.route import Route, Way, finished_route
from chat.render.stops import Nested
from chat.render.tasks import children_of, drawn, nested, tasks_of
from chat.threads import Branch


@dataclass(frozen=True, slots=True)
class Versions:
    """Where a message stands among the versions of its place."""

    number: int
    count: int
    earlier: UUID | None
    later: UUID | None


def versions_of(message: Message, same_place: Sequence[UUID]) -> Versions | None:
    if len(same_place) < 2 or message.pk not in same_place:
        return None
    index = same_place.index(message.pk)
    earlier = same_place[index - 1] if index else None
    later = same_place[index + 1] if index + 1 < len(same_place) else None
    return Versions(index + 1, len(same_place), earlier, later)


def place_of(conversation_id: UUID, message: Message, asked: bool) -> Place:
    return Place(conversation_id, message.parent_id, message.pk, asked)


def present(run: Run, place: Place | Desk | None, labels: Mapping[str, str]) -> Presentation:
    """The presentation of a run as far as its journal goes now."""
    presentation = Presentation(by_of(run, labels), place)
    rows = StreamEvent.objects.filter(run=run).order_by("sequence")
    presentation.feed((Entry(*row) for row in rows.values_list("sequence", "event_type", "data")), labels)
    return presentation


def catch_up(route: Route, children: Iterable[Run], labels: Mapping[str, str]) -> None:
    """Show the tasks of an answer that is being written as far as their own journals go."""
    runs = {str(child.stream_id): child for child in children}
    for stop in route.stops:
        child = runs.get(stop.nested.stream) if stop.nested else None
        if child is None:
            continue
        if child.state in Run.ACTIVE:
            now = present(child, None, labels)
            stop.nested = Nested(now.by, drawn(now.route), str(child.stream_id), now.sequence)
        else:
            stop.nested = nested(child, labels)


def footer(route: Route, run: Run | None, place: Place | Desk) -> str:
    """The tools under a finished answer; a card alone brings its own."""
    if run is not None and run.error and not route.has_text():
        return ""
    return render_to_string("chat/tools.html", {"place": place, "text": route.has_text()})


class Turns:
    """Renders the messages of one branch."""

    def __init__(self, conversation: Conversation, branch: Branch, labels: Mapping[str, str] | None = None) -> None:
        """`labels` holds names of models that are known already."""
        self.conversation = conversation
        self.branch = branch
        known = labels or {}
        runs = [run for message in branch.messages if (run := run_of(message))]
        self.children = children_of(runs)
        answering = [*runs, *(child for children in self.children.values() for child in children)]
        missing = {run.served_model or run.requested_model for run in answering} - known.keys()
        self.labels = {**known, **labels_of(missing)}
        self.compactions = compactions_of(runs)

    def html(self) -> list[str]:
        asked = {message.pk for message in self.branch.messages if message.role == Message.Role.USER}
        return [self._turn(message, message.parent_id in asked) for message in self.branch.messages]

    def _turn(self, message: Message, asked: bool) -> str:
        context = {
            "message": message,
            "conversation": self.conversation,
            "versions": versions_of(message, self.branch.versions(message)),
        }
        if message.role == Message.Role.USER:
            return render_to_string("chat/said.html", context)
        return render_to_string("chat/answer.html", context | self._answer(message, asked))

    def _answer(self, message: Message, asked: bool) -> dict[str, object]:
        run, place = run_of(message), place_of(self.conversation.pk, message, asked)
        children = self.children.get(run.pk, []) if run else []
        by = by_of(run, self.labels, children) if run else By()
        if run and run.state in Run.ACTIVE:
            now = present(run, place, self.labels)
            catch_up(now.route, children, self.labels)
            return {"by": now.by, "stops": now.route.stops, "run": run, "sequence": now.sequence}
        if run is None:
            route = finished_route(message.parts, by)
        else:
            facts = run.trace.get("compaction") or {}
            row = self.compactions.get(facts.get("compaction", ""))
            compacted = (facts, row.summary) if row else None
            left_out, tasks = run.trace.get("left_out", []), tasks_of(children, self.labels)
            way = Way(self.branch.reasoned.get(message.pk), moves_of(run, self.labels), left_out, compacted, tasks)
            route = finished_route(message.parts, by, way)
            route.way_back(place, revoked=row.pk if row and not row.holds else None)
            route.ending(run, place)
        return {"by": by, "stops": route.stops, "run": run, "tools": footer(route, run, place)}


def compactions_of(runs: Iterable[Run]) -> dict[str, Compaction]:
    """Those that stand for older messages in any of these runs, by id. One query, or none."""
    wanted = {run.trace["compaction"]["compaction"] for run in runs if run.trace.get("compaction")}
    return {str(row.pk): row for row in Compaction.objects.filter(pk__in=wanted)} if wanted else {}


def run_of(message: Message) -> Run | None:
    found = getattr(message, "run", None)
    return found if isinstance(found, Run) else None


def added(run: Run) -> tuple[UUID | None, str]:
    """What a new run puts on a page: the message its turns follow, and their HTML."""
    answer = Message.objects.select_related("conversation", "parent", "run").get(run=run)
    asked = answer.parent
    if asked is None:
        return None, ""
    family = list(asked.children.order_by("created_at", "pk").values_list("pk", flat=True))
    fresh = asked.role == Message.Role.USER and len(family) == 1
    turns = Turns(answer.conversation, Branch([asked, answer], earlier=False, siblings={answer.pk: family})).html()
    return (asked.parent_id, "".join(turns)) if fresh else (asked.pk, turns[1])
