"""The login of the Codex command line on this machine: what it is, and taking over the API key in it."""

from datetime import UTC, datetime

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from accounts.actors import aactor_of, actor_of
from accounts.problems import Problem
from providers import checks, credentials, policies
from providers.models import Credential
from providers.secrets import hint
from providers.sessions import codex_login

PROVIDER = "openai"


@sensitive_variables("login")
@require_safe
@never_cache
def look(request: HttpRequest) -> HttpResponse:
    """What is on the disk now; nothing of it is kept."""
    actor = actor_of(request)
    policies.require_codex_login(request, actor)
    login = codex_login.detect(settings.CODEX_HOME)
    rows = Credential.objects.visible_to(actor).filter(user_id=actor.user_id, provider_id=PROVIDER)
    values = {
        "home": settings.CODEX_HOME,
        "state": login.state,
        "hint": hint(login.key) if login.key else "",
        "plan": login.plan,
        "account": login.account,
        "end": datetime.fromtimestamp(login.expires_at, UTC) if login.expires_at else None,
        "own": rows.filter(kind=Credential.Kind.API_KEY).first(),
        "chatgpt_plan": policies.may_sign_in_with_chatgpt(request),
    }
    return render(request, "providers/codex.html", values)


@sensitive_variables("login")
@require_POST
async def take_over(request: HttpRequest) -> HttpResponse:
    """Keep the API key as the person's own, and check it."""
    actor = await aactor_of(request)
    policies.require_codex_login(request, actor)
    login = await sync_to_async(codex_login.detect)(settings.CODEX_HOME)
    here = HttpResponseRedirect(reverse("providers:codex"))
    if not login.key:
        messages.error(request, "There is no API key in the login any more.")
        return here
    try:
        row = await sync_to_async(credentials.save)(actor, provider_id=PROVIDER, secret=login.key, shared=False)
    except Problem as problem:
        messages.error(request, f"The key in the login cannot be kept. {problem.title}")
        return here
    state = checks.state_after(await checks.check(f"credential:{row.pk}"))
    kept = "The key of the Codex login is now yours here"
    if state == Credential.State.WORKING:
        messages.success(request, f"{kept}, and OpenAI accepted it.")
    elif state == Credential.State.REFUSED:
        messages.error(request, f"{kept}, but OpenAI refused it. Replace it, or remove it.")
    else:
        messages.warning(request, f"{kept}. OpenAI did not answer, so it is not checked yet.")
    return HttpResponseRedirect(f"{reverse('providers:settings')}#p-{PROVIDER}")
