"""Delegated tasks inside of an answer: what each specialist's run looks like there, ended or going on."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.template.loader import render_to_string

from catalog.models import Context
from chat.models import Run
from chat.render.names import By, by_of
from chat.render.route import Route, finished_route
from chat.render.stops import Nested

type Tasks = Mapping[str, tuple[str, Nested]]  # by call: the specialist's name, and its run


def children_of(runs: Iterable[Run]) -> dict[UUID, list[Run]]:
    """The runs that each of these delegated. One query, or none."""
    leading = [run.pk for run in runs if run.context == Context.ORCHESTRATION]
    found: dict[UUID, list[Run]] = {}
    for child in Run.objects.filter(parent__in=leading, context=Context.ORCHESTRATION) if leading else ():
        if child.parent_id:
            found.setdefault(child.parent_id, []).append(child)
    return found


def tasks_of(children: Iterable[Run], labels: Mapping[str, str]) -> Tasks:
    return {child.input["tool_call_id"]: (child.input["specialist"], nested(child, labels)) for child in children}


def nested(child: Run, labels: Mapping[str, str]) -> Nested:
    by = by_of(child, labels)
    if child.state in Run.ACTIVE:
        return Nested(by, stream=str(child.stream_id))
    return Nested(by, html_of(child, by), failed=child.state != Run.State.DONE)


def html_of(child: Run, by: By) -> str:
    """The route of a run that has ended and has no message of its own."""
    route = finished_route(child.output.get("parts", []), by)
    route.ending(child, None)
    return drawn(route)


def drawn(route: Route) -> str:
    return render_to_string("chat/route.html", {"stops": route.stops})
