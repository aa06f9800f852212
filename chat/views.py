"""The pages of a conversation. Every form also answers JSON, so that script can post it without leaving the page."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actors import actor_of
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from chat import attachments, compactions, conversations, runs, summaries
from chat.forms import ActForm, ContextForm, LookForm, ModelForm, SendForm, SummaryForm, TitleForm, cleaned
from chat.lists import search
from chat.models import Conversation, Run, Specialist
from chat.pages import Look, page, page_bounds
from chat.protocol import Command
from chat.render.turns import added
from chat.serializers import KEY_CHARS
from chat.threads import TURNS

BROWSER_PROBLEMS = frozenset({400, 403, 409, 413, 415, 422, 429})


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    if request.method == "POST":
        return _send(request, actor, None)
    return _page(request, actor, None)


@require_http_methods(["GET", "POST"])
def conversation(request: HttpRequest, pk: UUID) -> HttpResponse:
    actor = actor_of(request)
    found = conversations.get(actor, pk)
    if request.method == "POST":
        return _send(request, actor, found)
    return _page(request, actor, found)


@require_POST
def act(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Regenerate, ask another model, continue, stop: `do` says which."""
    actor = actor_of(request)
    found = conversations.get(actor, pk)
    form = ActForm(request.POST)
    verb, target = form.action()
    if verb == "stop":
        runs.stop(actor, target)
        return HttpResponse(status=204) if _by_script(request) else _to(found)
    if verb == "restore":
        compactions.change(actor, found.pk, target, revoked=False)
        there = reverse("chat:conversation", args=[found.pk])
        return JsonResponse({"url": there}) if _by_script(request) else redirect(there)
    if verb == "everything":
        compactions.send_everything(actor, found.pk, target)
    try:
        run = runs.start(actor, form.command(found.pk, verb, target))
    except Problem as problem:
        return _refused(request, actor, found, Look(problem=problem))
    return _started(request, run)


@require_POST
def summarise(request: HttpRequest, pk: UUID) -> HttpResponse:
    actor = actor_of(request)
    data = cleaned(SummaryForm(request.POST))
    found = conversations.get(actor, pk)
    try:
        summaries.start(actor, found.pk, at=data["at"], key=data["key"])
    except Problem as problem:
        return _refused(request, actor, found, Look(problem=problem))
    return redirect(f"{reverse('chat:conversation', args=[found.pk])}?summary=1#summary")


@require_GET
def ring(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How full the window is of the model that `?model=` names, and which limits are near, as parts of the page."""
    actor = actor_of(request)
    form = LookForm(request.GET)
    fill, near = page_bounds(actor, conversations.get(actor, pk), form.value("model") or "")
    return HttpResponse(
        render_to_string("chat/ring.html", {"fill": fill}) + render_to_string("chat/limits.html", {"limits": near})
    )


@require_POST
def choose_model(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Store the conversation's choice at once; a running answer keeps its own."""
    found = conversations.change(actor_of(request), pk, model=cleaned(ModelForm(request.POST))["model"])
    return HttpResponse(status=204) if _by_script(request) else _to(found)


@require_POST
def choose_context(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Whether a model answers directly or leads specialists, from the next message on."""
    found = conversations.change(actor_of(request), pk, context=cleaned(ContextForm(request.POST))["context"])
    return HttpResponse(status=204) if _by_script(request) else _to(found)


@require_GET
def team(request: HttpRequest) -> HttpResponse:
    rows = Specialist.objects.visible_to(actor_of(request)).select_related("model")
    return render(request, "chat/specialists.html", {"specialists": rows})


@require_POST
def rename(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _to(conversations.change(actor_of(request), pk, title=cleaned(TitleForm(request.POST))["title"]))


@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    gone = conversations.delete(actor_of(request), pk)
    messages.success(request, f"Deleted “{gone}”.")
    return redirect("chat:new")


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "")[:100]
    return render(request, "chat/search.html", {"query": words, "found": search(actor_of(request), words)})


# ---------------------------------------------------------------- shared by the views above
def _send(request: HttpRequest, actor: Actor, found: Conversation | None) -> HttpResponse:
    form = SendForm(request.POST)
    command = form.command(found.pk if found else None)
    try:
        command = _with_files(request, actor, command)
        run = runs.start(actor, command)
    except Problem as problem:
        look = Look(model=command.model, text=command.text, problem=problem)
        return _refused(request, actor, found, look)
    return _started(request, run)


def _with_files(request: HttpRequest, actor: Actor, command: Command) -> Command:
    """Files may come with the message itself: without script that is how. What is refused later stays in the box; a
    form that is sent twice brings the same files, so that it is the same message."""
    sent = request.FILES.getlist("files")
    if len(sent) + len(command.attachments or ()) > attachments.MOST_FILES:
        raise attachments.too_many()
    place, key = command.conversation_id, command.idempotency_key
    keys = [f"{number}:{key}"[:KEY_CHARS] if key else "" for number, _ in enumerate(sent)]
    fresh = [attachments.add(actor, each, conversation=place, key=one).pk for each, one in zip(sent, keys, strict=True)]
    return replace(command, attachments=(*(command.attachments or ()), *fresh))


def _refused(request: HttpRequest, actor: Actor, found: Conversation | None, look: Look) -> HttpResponse:
    """The page again, with the message kept and the reason above it. Script gets the problem alone."""
    problem = look.problem
    if problem is None or _by_script(request) or problem.status not in BROWSER_PROBLEMS:
        raise problem or not_found()
    return render(request, "chat/conversation.html", page(actor, found, look), status=problem.status)


def _started(request: HttpRequest, run: Run) -> HttpResponse:
    url = reverse("chat:conversation", args=[run.conversation_id])
    if not _by_script(request):
        return redirect(f"{url}#m-{run.answer_id}")
    parent, html = added(run)
    return JsonResponse({"url": url, "stream": run.stream_id, "parent": parent, "html": html}, status=202)


def _page(request: HttpRequest, actor: Actor, found: Conversation | None) -> HttpResponse:
    form = LookForm(request.GET)
    look = Look(
        at=form.value("at"),
        edit=form.value("edit"),
        turns=form.value("turns") or TURNS,
        model=form.value("model") or "",
        summary=bool(form.value("summary")),
    )
    context: dict[str, Any] = page(actor, found, look)
    return render(request, "chat/conversation.html", context)


def _by_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def _to(found: Conversation) -> HttpResponse:
    return redirect("chat:conversation", found.pk)
