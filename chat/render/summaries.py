"""The panel with a conversation's summary, as it is written and once it is there."""

from collections.abc import Mapping

from django.template.loader import render_to_string

from chat.models import Run
from chat.render.names import by_of, labels_of
from chat.render.route import finished_route
from chat.render.turns import present
from chat.summaries import Summary


def panel(summary: Summary, labels: Mapping[str, str], *, opened: bool) -> str:
    run = summary.run
    key = run.served_model or run.requested_model
    named = labels if key in labels else labels_of([key])
    context = {"run": run, "stale": summary.stale}
    if run.state in Run.ACTIVE:
        now = present(run, None, named)
        drawn = {"stops": now.route.stops, "sequence": now.sequence, "open": True}
    else:
        route = finished_route(run.output.get("parts", []), by_of(run, named))
        route.ending(run, None)
        drawn = {"stops": route.stops, "open": opened, "tools": tools(run)}
    return render_to_string("chat/summary.html", context | drawn)


def tools(run: Run) -> str:
    """What can be done with a summary that has ended."""
    return render_to_string("chat/summary_tools.html", {"run": run, "text": bool(run.output.get("parts"))})
