"""The way to one's own ChatGPT plan and back: a page that leads to the vendor, and where the browser returns."""

import time
from dataclasses import asdict

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.request import split_domain_port
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from accounts.actors import aactor_of, actor_of
from providers import checks, credentials, plan_keeping, policies
from providers.models import Credential
from providers.sessions import openai_chatgpt
from providers.sessions.base import Ended, Unreachable

NAME, PLAN = "ChatGPT", "chatgpt_plan"
SECONDS = 600
# The vendor comes back to this host only; whoever began by the machine's name goes on there.
_RETURN, _HOME = "127.0.0.1", "localhost"
LONGEST = 4096


@require_POST
@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """A page that leads on: `form-action 'self'` does not follow a form to the vendor."""
    actor = actor_of(request)
    plan_keeping.require_allowed(allowed=policies.may_sign_in_with_chatgpt(request))
    back = f"http://{_RETURN}:{_port(request)}{reverse('providers:chatgpt_return')}"
    asked = openai_chatgpt.Asked(plan_keeping.client_id(actor), back)
    whose = {"user": str(actor.user_id), "workspace": str(actor.workspace_id), "until": time.time() + SECONDS}
    request.session[PLAN] = asdict(asked) | whose
    url = openai_chatgpt.address(asked, host=plan_keeping.host(), name="Parley")
    return render(request, "providers/leaving.html", {"url": url, "name": NAME})


@require_GET
@login_not_required
@never_cache
def returned(request: HttpRequest) -> HttpResponse:
    """Where the vendor sends the browser: back to the host on which the person is signed in."""
    plan_keeping.require_allowed(allowed=policies.may_sign_in_with_chatgpt(request))
    path = f"{reverse('providers:chatgpt_done')}?{request.GET.urlencode()[:LONGEST]}"
    return HttpResponseRedirect(path if PLAN in request.session else f"http://{_HOME}:{_port(request)}{path}")


def _port(request: HttpRequest) -> str:
    """The one in the browser's address."""
    return split_domain_port(request.get_host())[1] or "80"


@sensitive_variables("fetched", "code")
@require_GET
@never_cache
async def done(request: HttpRequest) -> HttpResponse:
    """Redeem the code of the sign-in that this very browser began, once, and check what came of it."""
    actor = await aactor_of(request)
    plan_keeping.require_allowed(allowed=policies.may_sign_in_with_chatgpt(request))
    begun = await request.session.apop(PLAN, None)
    whose = {"user": str(actor.user_id), "workspace": str(actor.workspace_id)}
    page = HttpResponseRedirect(f"{reverse('providers:settings')}#p-{plan_keeping.PROVIDER}")
    code = request.GET.get("code", "")
    same = begun is not None and constant_time_compare(begun["state"], request.GET.get("state", ""))
    if begun is None or not same or begun["until"] < time.time() or whose != {name: begun[name] for name in whose}:
        messages.error(request, "This sign-in was not begun here, or too long ago. Start it again.")
        return page
    if not code or len(code) > LONGEST or "error" in request.GET:
        messages.warning(request, f"{NAME} did not sign you in. Nothing has changed.")
        return page
    asked = openai_chatgpt.Asked(
        begun["client_id"], begun["redirect"], begun["state"], begun["nonce"], begun["verifier"]
    )
    try:
        issued = openai_chatgpt.issued(asked, request.GET.get("client_id", ""))
        fetched = await plan_keeping.signed_in(asked, issued, code)
    except (Ended, Unreachable):
        messages.error(request, f"{NAME} gave no session for this sign-in. Start it again.")
        return page
    row = await sync_to_async(plan_keeping.keep)(actor, fetched, issued)
    await sync_to_async(credentials.note_check)(actor, f"credential:{row.pk}")
    result = await checks.check(f"credential:{row.pk}")
    if checks.state_after(result) == Credential.State.WORKING:
        messages.success(request, f"You are signed in with your {NAME} plan. Your requests to OpenAI use it.")
    else:
        messages.warning(request, f"You are signed in with your {NAME} plan, but OpenAI did not accept it yet.")
    return page
