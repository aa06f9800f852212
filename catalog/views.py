"""The pages about models: all of them, one of them with its reasons, and a member's defaults."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actors import actor_of
from accounts.problems import Problem, not_found
from catalog import defaults, shelf
from catalog.choices import picker
from catalog.forms import DefaultForm, SearchForm
from catalog.models import Context

TOLD = ("context_window", "max_output_tokens", "prices", "retires_at", "successor")
BROWSER_PROBLEMS = frozenset({403, 422})


@require_safe
def models_page(request: HttpRequest) -> HttpResponse:
    asked = SearchForm(request.GET).found()
    shelves, aliases = shelf.shelves(actor_of(request), asked["q"], usable=asked["usable"])
    count = sum(len(one.lines) for one in shelves)
    values = {"shelves": shelves, "aliases": aliases, "count": count, "words": asked["q"], "usable": asked["usable"]}
    return render(request, "catalog/models.html", values)


@require_safe
def model_page(request: HttpRequest, provider_id: str, model_id: str) -> HttpResponse:
    """One model: what is known and who says so, and why a request for it would go out or would not."""
    found = shelf.one(actor_of(request), f"{provider_id}/{model_id}")
    if found is None:
        raise not_found()
    line, facts = found
    context = request.GET.get("context", "")
    context = context if context in Context.values else Context.CHAT.value
    values = {
        "line": line,
        "row": line.row,
        "told": {fact: shelf.told(line.row, fact) for fact in TOLD},
        "prices": shelf.price_lines(line.row),
        "steps": shelf.explained(line.row.key, context, facts),
        "context": context,
        "contexts": Context.choices,
    }
    return render(request, "catalog/model.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
def defaults_page(request: HttpRequest) -> HttpResponse:
    """Which model answers when nobody names one; a member's own choice and, for administrators, the workspace's."""
    actor = actor_of(request)
    fault = None
    if request.method == "POST":
        form = DefaultForm(request.POST)
        if not form.is_valid():
            raise Problem(400, "bad_request", "This form makes no sense.")
        given = form.cleaned_data
        setter = defaults.set_own if given["level"] == "own" else defaults.set_workspace
        try:
            setter(actor, given["context"], given["model"])
        except Problem as problem:
            if problem.status not in BROWSER_PROBLEMS:
                raise
            fault = problem
        else:
            messages.success(request, f"The default for {Context(given['context']).label.lower()} is saved.")
            return redirect("catalog:defaults")
    standings = defaults.overview(actor)
    values = {
        "standings": [(one, Context(one.context).label, shelf.WHY.get(one.level, "")) for one in standings],
        "groups": picker(actor),
        "levels": (("own", "Your own"), ("workspace", "The workspace's"))[: 2 if actor.administers else 1],
        "fault": fault,
    }
    return render(request, "catalog/defaults.html", values, status=fault.status if fault else 200)
