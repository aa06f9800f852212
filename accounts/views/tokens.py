"""A person's API tokens: made, shown once, revoked."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import proof, tokens
from accounts.actors import actor_of, membership_of
from accounts.forms import TokenForm
from accounts.models import ApiToken, Membership
from accounts.views.people import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """The list and the form. A new token's text is in the answer to the POST and in no other."""
    actor = actor_of(request)
    plain = ""
    form = TokenForm(request.POST or None)
    if request.method == "POST":
        proof.require_recent(request)
        if form.is_valid():
            workspace = cast("Membership", membership_of(request)).workspace
            _, plain = tokens.mint(signed_in(request), workspace, **form.cleaned_data)
            form = TokenForm()
    own = ApiToken.objects.filter(user_id=actor.user_id, workspace_id=actor.workspace_id).order_by("-created_at")
    return render(request, "accounts/tokens.html", {"form": form, "plain": plain, "tokens": own})


@require_POST
def revoke(request: HttpRequest, pk: str) -> HttpResponse:
    actor = actor_of(request)
    token = get_object_or_404(ApiToken, pk=pk, user_id=actor.user_id, workspace_id=actor.workspace_id)
    tokens.revoke(token, by=token.user)
    messages.success(request, f"The token {token.name} is revoked. It has stopped working.")
    return redirect("accounts:tokens")
