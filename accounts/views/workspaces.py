"""Between workspaces: switching, making one, and coming in by an invitation's link."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import arrivals, invitations, workspaces
from accounts.forms import WorkspaceForm
from accounts.models import Invitation
from accounts.policies import may_create_workspace, not_allowed
from accounts.problems import Problem, not_found
from accounts.views.people import signed_in

STATUS = {"open": 200, "other_address": 200, "member": 200, "accepted": 410, "expired": 410}


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """The session acts in another workspace from here on."""
    try:
        wanted = UUID(request.POST.get("workspace", ""))
    except ValueError:
        raise not_found() from None
    workspace = workspaces.choose(signed_in(request), request.session, wanted)
    messages.success(request, f"You are in {workspace.name} now.")
    return redirect("/")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if not may_create_workspace(user):
        raise not_allowed("Only an administrator makes a workspace.")
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        workspace = workspaces.create(user, form.cleaned_data["name"])
        workspaces.choose(user, request.session, workspace.pk)
        messages.success(request, f"{workspace.name} is ready. Invite the people who work in it.")
        return redirect("accounts:workspace")
    return render(request, "accounts/new_workspace.html", {"form": form}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What the link of an invitation opens: who invites, into what, and the one button that goes on from here."""
    found = invitations.behind(token)
    if found is None:
        raise not_found()
    state = _state(request, found)
    if request.method == "POST" and state == "open":
        if not request.user.is_authenticated:
            raise Problem(401, "not_signed_in", "Nobody is signed in.", "Sign in, then accept the invitation.")
        membership = invitations.accept(signed_in(request), token)
        workspaces.choose(signed_in(request), request.session, membership.workspace_id)
        messages.success(request, f"You are in {found.workspace.name} now.")
        return redirect("/")
    if state == "open" and not request.user.is_authenticated:
        arrivals.expect(request, token)
    return render(request, "accounts/invitation.html", {"invitation": found, "state": state}, status=STATUS[state])


def _state(request: HttpRequest, found: Invitation) -> str:
    """open, accepted, expired; for whoever is signed in also member (there is nothing to do) or other_address."""
    if not request.user.is_authenticated:
        return found.state
    user = signed_in(request)
    if workspaces.joined(user).filter(workspace_id=found.workspace_id).exists():
        return "member"
    if found.state == "open" and not invitations.is_for(found, user):
        return "other_address"
    return found.state
