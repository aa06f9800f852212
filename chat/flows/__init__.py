"""What runs are for: by context, what is asked of a model and what is made of its answer."""

from catalog.models import Context
from chat.execution import Flow
from chat.flows import chat, documents, orchestration, structured, summary, titles
from chat.models import Run

FLOWS: dict[str, Flow] = {
    Context.CHAT: chat.converse,
    Context.STRUCTURED: structured.generate,
    Context.SUMMARY: summary.generate,
    Context.DOC: documents.generate,
    Context.ORCHESTRATION: orchestration.orchestrate,
}


def flow_of(run: Run) -> Flow:
    if run.input.get("what") == "title":
        return titles.generate
    if run.context == Context.ORCHESTRATION and run.parent_id:
        return orchestration.specialise
    return FLOWS[run.context]


def follow_up(run: Run) -> None:
    """Queue what a run that has just been completed calls for."""
    if run.answer_id:
        titles.enqueue(run)
