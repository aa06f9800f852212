"""The document pages: a library, and one document with what was asked of it. They work without script."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actors import actor_of
from accounts.policies import Actor
from accounts.problems import Problem
from catalog.choices import picker
from catalog.defaults import leading
from catalog.models import Context
from chat import attachments, documents, runs, serving
from chat.documents import Asking
from chat.documents_forms import AskForm, action_of
from chat.models import Attachment, Run
from chat.render.readings import readings

SHOWN = 20
LISTED = 200


@require_http_methods(["GET", "POST"])
def library(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    problem = None
    if request.method == "POST":
        try:
            return _kept(actor, request)
        except Problem as refused:
            problem = refused
    listed = list(documents.library(actor)[:LISTED])
    context = {
        "documents": listed,
        "problem": problem,
        "waiting": any(each.pending for each in listed),
        "library": True,
    }
    return render(request, "chat/documents.html", context, status=problem.status if problem else 200)


def _kept(actor: Actor, request: HttpRequest) -> HttpResponse:
    sent = request.FILES.getlist("files")
    if not sent:
        raise Problem(422, "empty_file", "No file was chosen.", "Choose one, then add it.")
    if len(sent) > attachments.MOST_FILES:
        raise attachments.too_many()
    made = [documents.add(actor, each) for each in sent]
    return redirect("chat:document", made[0].pk) if len(made) == 1 else redirect("chat:documents")


@require_http_methods(["GET", "POST"])
def document(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One document; a POST asks for a summary or a question."""
    actor = actor_of(request)
    found = documents.get(actor, pk)
    if request.method != "POST":
        return _page(request, actor, found, _earlier(actor, found, request.GET.get("again", "")))
    fields = {name: request.POST.get(name, "") for name in ("question", "model")}
    try:
        run = documents.start(actor, pk, AskForm(request.POST).asking())
    except Problem as problem:
        return _page(request, actor, found, fields, problem=problem)
    return _to(found, run)


@require_POST
def act(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask the same again, or stop."""
    actor = actor_of(request)
    found = documents.get(actor, pk)
    verb, run_id = action_of(request.POST.get("do", ""))
    run = documents.run_of(actor, pk, run_id)
    if verb == "stop":
        runs.stop(actor, run.stream_id)
        return _to(found, run)
    key = request.POST.get("key", "")[:120]
    asking = Asking(run.input["task"], run.input["question"], run.requested_model, key)
    try:
        return _to(found, documents.start(actor, pk, asking))
    except Problem as problem:
        return _page(request, actor, found, problem=problem)


@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    gone = documents.remove(actor_of(request), pk)
    messages.success(request, f"Deleted “{gone}” with its summaries and answers.")
    return redirect("chat:documents")


@require_GET
def download(request: HttpRequest, pk: UUID) -> HttpResponse:
    return serving.download(documents.get(actor_of(request), pk))


@require_GET
def page(request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
    found, text = documents.page_of(actor_of(request), pk, number)
    return render(request, "chat/document_page.html", {"document": found, "page": text, "library": True})


def _earlier(actor: Actor, found: Attachment, run_id: str) -> dict[str, str]:
    """The fields of an earlier question, to ask it anew."""
    try:
        run = documents.run_of(actor, found.pk, UUID(run_id))
    except (ValueError, Problem):
        return {}
    return {"question": run.input["question"], "model": run.requested_model}


def _to(found: Attachment, run: Run) -> HttpResponse:
    return redirect(f"{reverse('chat:document', args=[found.pk])}#m-{run.stream_id}")


def _page(
    request: HttpRequest,
    actor: Actor,
    found: Attachment,
    fields: dict[str, str] | None = None,
    *,
    problem: Problem | None = None,
) -> HttpResponse:
    groups = picker(actor, (fields or {}).get("model", ""))
    labels = {option.key: option.label for group in groups for option in group.options}
    earlier = list(found.runs.all()[:SHOWN])
    context: dict[str, Any] = {
        "library": True,
        "document": found,
        "fields": fields or {},
        "problem": problem,
        "groups": groups,
        "default": labels.get(leading(actor, Context.DOC), ""),
        "ready": any(group.ready for group in groups),
        "readable": documents.readable(found),
        "readings": readings(earlier, found, get_token(request)),
        "running": any(run.state in Run.ACTIVE for run in earlier),
        "key": runs.new_key(),
    }
    return render(request, "chat/document.html", context, status=problem.status if problem else 200)
