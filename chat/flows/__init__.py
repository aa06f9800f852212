"""What runs are for: by context, what is asked of a model and what is made of its answer."""

from catalog.models import Context
from chat.execution import Flow
from chat.flows import chat, documents, structured, summary, titles
from chat.models import Run

FLOWS: dict[str, Flow] = {
    Context.CHAT: chat.converse,
    Context.STRUCTURED: structured.generate,
    Context.SUMMARY: summary.generate,
    Context.DOC: documents.generate,
}


def flow_of(run: Run) -> Flow:
    return titles.generate if run.input.get("what") == "title" else FLOWS[run.context]


def follow_up(run: Run) -> None:
    """Queue what a run that has just been completed calls for."""
    if run.context == Context.CHAT:
        titles.enqueue(run)
