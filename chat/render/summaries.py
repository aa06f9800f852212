"""The panel with a conversation's summary, as it is written and once it is there."""

from collections.abc import Mapping

from django.template.loader import render_to_string

from chat.models import Run
from chat.render.names import by_of, labels_of
from chat.render.tasks import drawn, html_of
from chat.render.turns import present
from chat.summaries import Summary


def panel(summary: Summary, labels: Mapping[str, str], *, opened: bool) -> str:
    run = summary.run
    key = run.served_model or run.requested_model
    named = labels if key in labels else labels_of([key])
    context = {"run": run, "stale": summary.stale}
    if run.state in Run.ACTIVE:
        now = present(run, None, named)
        shown = {"html": drawn(now.route), "sequence": now.sequence, "open": True}
    else:
        shown = {"html": html_of(run, by_of(run, named)), "open": opened, "tools": tools(run)}
    return render_to_string("chat/summary.html", context | shown)


def tools(run: Run) -> str:
    """What can be done with a summary that has ended."""
    return render_to_string("chat/summary_tools.html", {"run": run, "text": bool(run.output.get("parts"))})
