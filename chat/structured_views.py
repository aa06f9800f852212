"""The structured page: a schema and an input go in, a run shows what came out. Works without script."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actors import actor_of
from accounts.policies import Actor
from accounts.problems import Problem
from catalog.choices import picker
from catalog.defaults import leading
from catalog.models import Context
from chat import outputs, runs, structured
from chat.models import Run
from chat.render.names import by_of, labels_of
from chat.render.sheet import result
from chat.structured_forms import EXAMPLES, StructuredForm, example_of


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    if request.method != "POST":
        return _page(request, actor, example_of("contact") or {})
    fields = {name: request.POST.get(name, "") for name in ("schema", "input", "model")}
    if example := example_of(request.POST.get("example", "")):
        # What the person wrote stays; an input that is itself an example gives way.
        mine = fields["input"] and fields["input"] not in {said for _, _, said in EXAMPLES.values()}
        return _page(request, actor, fields | example | ({"input": fields["input"]} if mine else {}))
    form = StructuredForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, fields, form=form, status=422)
    try:
        run = structured.start(actor, form.asking())
    except Problem as problem:
        return _page(request, actor, fields, problem=problem, status=problem.status)
    # On a narrow screen the output is below the form.
    return redirect(f"{reverse('chat:structured-run', args=[run.pk])}#output")


@require_GET
def shown(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A run with the form that asked for it, to ask again."""
    actor = actor_of(request)
    run = structured.get(actor, pk)
    fields = {
        "schema": outputs.shown(run.input["schema"]),
        "input": run.input["messages"][-1]["text"],
        "model": run.requested_model,
    }
    return _page(request, actor, fields, run=run)


@require_POST
def stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    actor = actor_of(request)
    runs.stop(actor, structured.get(actor, pk).stream_id)
    return redirect("chat:structured-run", pk)


def _page(
    request: HttpRequest,
    actor: Actor,
    fields: dict[str, str],
    *,
    form: StructuredForm | None = None,
    problem: Problem | None = None,
    run: Run | None = None,
    status: int = 200,
) -> HttpResponse:
    groups = picker(actor, fields.get("model", ""))
    labels = {option.key: option.label for group in groups for option in group.options}
    context: dict[str, Any] = {
        "structured": True,
        "fields": fields,
        "errors": {name: found[0] for name, found in form.errors.items()} if form else {},
        "problem": problem,
        "groups": groups,
        "default": labels.get(leading(actor, Context.STRUCTURED), ""),
        "ready": any(group.ready for group in groups),
        "examples": [(name, label) for name, (label, _, _) in EXAMPLES.items()],
        "key": runs.new_key(),
        "run": run,
    }
    if run and run.state in Run.ACTIVE:
        context["running"] = True
    elif run:
        key = run.served_model or run.requested_model
        context["result"] = result(run, by_of(run, labels_of([key])))
    return render(request, "chat/structured.html", context, status=status)
