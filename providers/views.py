"""The providers page of the settings: whose key is used, and keeping, checking, replacing and removing one. And the
status page: how every provider is and was."""

import asyncio
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import aactor_of, actor_of
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from providers import checks, credentials, policies, registry, session_keeping, standing, status, status_words
from providers.contract import CredentialCheck
from providers.forms import KeyForm, ModeForm, SessionForm, WorkloadIdentityForm
from providers.models import Credential
from providers.panels import Panel, panels
from providers.tries import NOT_RENEWED


@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """The whole page, or with `?part` only the panels, of which an open page takes what has changed."""
    return _page(request, actor_of(request))


@sensitive_post_parameters("secret")
@require_POST
async def keep(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Save a key, then check it. A refused key stays saved and says so: the person decides what to do about it."""
    actor, shared = await aactor_of(request), "shared" in request.POST
    return await _kept(request, actor, KeyForm(request.POST), provider_id, shared=shared)


@sensitive_post_parameters("secret")
@require_POST
async def keep_session(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Save a pasted session, prefer it, and check it."""
    actor, shared = await aactor_of(request), "shared" in request.POST
    return await _kept(request, actor, SessionForm(request.POST), provider_id, shared=shared)


@sensitive_post_parameters("secret")
@require_POST
async def keep_identity(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Save how a workspace's signed token is exchanged, prefer that, and check it with one exchange."""
    actor = await aactor_of(request)
    policies.require_sharing(actor)
    policies.require_workload_identity(shared=True)
    return await _kept(request, actor, WorkloadIdentityForm(provider_id, request.POST), provider_id, shared=True)


@require_POST
def mode(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Prefer a session or a key."""
    form, shared = ModeForm(request.POST), "shared" in request.POST
    if not form.is_valid():
        raise Problem(422, "invalid_mode", "Choose an API key or a session.")
    session_keeping.prefer(actor_of(request), provider_id=provider_id, shared=shared, **form.cleaned_data)
    messages.success(request, f"Requests to {registry.providers()[provider_id].label} now go out as chosen.")
    return _back(provider_id, shared=shared)


@require_POST
async def check(request: HttpRequest) -> HttpResponse:
    actor = await aactor_of(request)
    found = await sync_to_async(credentials.descriptors)(actor)
    chosen = next((one for one in found if one.ref == request.POST.get("ref")), None)
    if chosen is None:
        raise not_found()
    await sync_to_async(credentials.note_check)(actor, chosen.ref)
    thing = "session" if chosen.kind == "session" else "key"
    _tell(request, chosen.provider_id, await checks.check(chosen.ref), thing=thing)
    return _back(chosen.provider_id, shared="shared" in request.POST)


@require_POST
def remove(request: HttpRequest, credential_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    row = credentials.editable(actor, credential_id)
    credentials.remove(actor, credential_id)
    thing = "session" if row.kind == Credential.Kind.SESSION else "key"
    messages.success(request, f"The {registry.providers()[row.provider_id].label} {thing} is removed.")
    return _back(row.provider_id, shared=row.user_id is None)


# ---------------------------------------------------------------- status
@require_safe
def status_page(request: HttpRequest) -> HttpResponse:
    """The whole page, or with `?part` only what changes on it."""
    actor = actor_of(request)
    now = timezone.now()
    lines = status.lines(actor, now)
    events = status_words.events_of([line.provider.provider_id for line in lines if line.checked_at])
    marks = [line.mark for line in lines]
    values = {
        "lines": lines,
        "overall": status_words.overall(marks),
        "provider_health": standing.summary(marks),
        "checked": status.checked_words(lines, now),
        "version": status.version(lines),
        "events": status_words.happened(events),
        "today": now.date(),
        "may_check": policies.may_check_all(actor),
    }
    part = "providers/status_part.html" if "part" in request.GET else "providers/status.html"
    return render(request, part, values)


@require_POST
async def check_all(request: HttpRequest) -> HttpResponse:
    """Ask every provider now, with the installation's credentials and the workspace's. For administrators."""
    actor = await aactor_of(request)
    policies.require_check_all(actor)
    found = await sync_to_async(credentials.descriptors)(actor)
    shared = [one.ref for one in found if one.source != "own"]
    await sync_to_async(credentials.note_check)(actor, "all shared credentials")
    results = await asyncio.gather(*(checks.check(ref) for ref in shared))
    failed = sum(not result.ok for result in results)
    count = f"{len(results)} check{'s' if len(results) != 1 else ''}"
    if failed:
        messages.warning(request, f"{count} made, {failed} failed.")
    else:
        messages.success(request, f"{count} made, all passed." if results else "There is no credential to check with.")
    return HttpResponseRedirect(reverse("providers:status"))


# ---------------------------------------------------------------- what they share
async def _kept(request: HttpRequest, actor: Actor, form: KeyForm, provider_id: str, *, shared: bool) -> HttpResponse:
    """Keep what was entered and check it; or the page again with the reason under the field."""
    if provider_id not in {provider.provider_id for provider in registry.available()}:
        raise not_found()
    kept = await sync_to_async(_keep)(actor, form, provider_id, shared=shared)
    if kept is None:
        return await sync_to_async(_page)(request, actor, _fault(provider_id, shared, form))
    thing = "session" if kept.kind == Credential.Kind.SESSION else "key"
    _tell(request, provider_id, await checks.check(f"credential:{kept.pk}"), thing=thing)
    return _back(provider_id, shared=kept.user_id is None)


def _keep(actor: Actor, form: KeyForm, provider_id: str, *, shared: bool) -> Credential | None:
    """The stored row, or None for what the form now says is refused."""
    if form.is_valid():
        try:
            return form.keep(actor, provider_id, shared=shared)
        except Problem as problem:
            if problem.status != 422:
                raise
            field = form.renamed.get(problem.extra["field"], problem.extra["field"])
            form.add_error(field if field in form.fields else None, problem.title)
    return None


def _fault(provider_id: str, shared: bool, form: KeyForm) -> dict[str, Any]:
    """What the template needs to say where the input was refused; what was entered is repeated, the secret is not."""
    field, texts = next(iter(form.errors.items()))
    anchor = f"{'w' if shared else 'p'}-{provider_id}{form.place}"
    given = {name: value for name, value in form.data.items() if name != "secret"}
    return {"anchor": anchor, "field": field, "text": texts[0], "given": given, "form": form}


def _page(request: HttpRequest, actor: Actor, fault: dict[str, Any] | None = None) -> HttpResponse:
    found = panels(actor)
    values = {
        "own": found.own,
        "shared": [(panel, _identity(panel, fault)) for panel in found.shared],
        "version": found.version,
        "fault": fault,
        "provider_health": standing.summary([panel.mark for panel in found.own]),
        "chatgpt_plan": policies.may_sign_in_with_chatgpt(request),
        "codex_login": policies.may_see_codex_login(request, actor),
        "subject_token_file": bool(policies.subject_token_file()),
    }
    page = "providers/settings_part.html" if "part" in request.GET else "providers/settings.html"
    return render(request, page, values, status=422 if fault else 200)


def _identity(panel: Panel, fault: dict[str, Any] | None) -> WorkloadIdentityForm | None:
    """The form for a workspace's workload identity, with what is stored of it or was just entered."""
    part = panel.session
    if part is None or not part.identity:
        return None
    if fault and fault["anchor"] == f"{panel.anchor}{WorkloadIdentityForm.place}":
        form: WorkloadIdentityForm = fault["form"]
        return form
    return WorkloadIdentityForm(panel.provider.provider_id, initial=part.entered)


def _tell(request: HttpRequest, provider_id: str, result: CredentialCheck, thing: str = "key") -> None:
    label = registry.providers()[provider_id].label
    state = checks.state_after(result)
    if state == Credential.State.WORKING:
        messages.success(request, f"{label} accepted the {thing} in {result.latency_ms} ms.")
    elif result.error and result.error.detail == NOT_RENEWED:
        messages.error(request, f"{label}: {result.error.message}")
    elif state in {Credential.State.REFUSED, Credential.State.EXPIRED}:
        messages.error(request, f"{label} refused the {thing}. Replace it, or remove it.")
    else:
        messages.warning(request, f"{label} did not answer, so the {thing} is not checked yet.")


def _back(provider_id: str, *, shared: bool) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('providers:settings')}#{'w' if shared else 'p'}-{provider_id}")
