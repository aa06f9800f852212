"""Summaries and answers about a document as HTML, each a turn like one of a conversation."""

from collections.abc import Iterable, Mapping

from django.template.loader import render_to_string
from django.urls import reverse

from chat.models import Attachment, Run
from chat.render.cards import Desk
from chat.render.citations import Cited
from chat.render.names import by_of, labels_of, moves_of
from chat.render.route import document_route
from chat.render.turns import footer, present

FIRST_PAGE = 1


def desk_of(run: Run, document: Attachment) -> Desk:
    pages = reverse("chat:document-page", args=[document.pk, FIRST_PAGE]).removesuffix(f"{FIRST_PAGE}/")
    return Desk(document.pk, run.pk, Cited(pages, document.page_count or 0))


def readings(runs: Iterable[Run], document: Attachment, csrf: str) -> list[str]:
    """One piece of HTML for each run, in their order; `csrf` is for their forms. One query for the names, one for each
    run that goes on."""
    found = list(runs)
    labels = labels_of(run.served_model or run.requested_model for run in found)
    return [_reading(run, desk_of(run, document), labels, csrf) for run in found]


def _reading(run: Run, desk: Desk, labels: Mapping[str, str], csrf: str) -> str:
    context: dict[str, object] = {"run": run, "csrf": csrf, "document_id": desk.document_id}
    if run.state in Run.ACTIVE:
        now = present(run, desk, labels)
        context |= {"by": now.by, "stops": now.route.stops, "sequence": now.sequence}
    else:
        by = by_of(run, labels)
        route = document_route(run, by, moves_of(run, labels), desk.cited)
        route.ending(run, desk)
        tools = footer(route, run, desk)
        context |= {"by": by, "stops": route.stops, "tools": tools}
    return render_to_string("chat/reading.html", context | {"message": {"id": run.stream_id}})
