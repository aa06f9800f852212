"""The pages of the workspace a person acts in: its name, its members, its invitations, its end."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import invitations, memberships, proof, workspaces
from accounts.actors import actor_of, membership_of
from accounts.forms import InvitationForm, WorkspaceForm
from accounts.models import Membership, Role
from accounts.policies import Actor, assignable_roles, may_create_workspace, require_administering, require_owning
from accounts.problems import Problem, not_found
from accounts.views.people import origin_of, signed_in

PAGE = "accounts:workspace"
TOLD = {409, 422, 429}  # what the page itself says; other problems are pages of their own


@require_GET
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    return _page(request, actor)


def _page(request: HttpRequest, actor: Actor, status: int = 200, **more: Any) -> HttpResponse:
    roles = assignable_roles(actor.role)
    members = list(memberships.of_workspace(actor))
    owners = sum(one.role == Role.OWNER for one in members)
    context = {
        "members": [_row(one, actor, roles, owners) for one in members],
        "roles": roles,
        "invitations": invitations.pending(actor),
        "may_create": may_create_workspace(signed_in(request)),
        "invite_form": InvitationForm(roles),
    }
    return render(request, "accounts/workspace.html", context | more, status=status)


def _row(membership: Membership, actor: Actor, roles: tuple[Role, ...], owners: int) -> dict[str, Any]:
    last = membership.role == Role.OWNER and owners == 1
    own = membership.user_id == actor.user_id
    may = Role(membership.role) in roles
    return {
        "pk": membership.pk,
        "name": membership.user.get_full_name(),
        "email": membership.user.email,
        "role": Role(membership.role),
        "since": membership.created_at,
        "own": own,
        "last": last,
        "may_change": may and not last,
        "may_remove": may and not own,
    }


@require_POST
def rename(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    require_administering(actor)
    form = WorkspaceForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, 400, name_form=form)
    workspace = workspaces.rename(actor, form.cleaned_data["name"])
    messages.success(request, f"The workspace is called {workspace.name} now.")
    return redirect(PAGE)


@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    """Answers with the page that shows the link, once; what was typed stays when it is refused."""
    actor = actor_of(request)
    require_administering(actor)
    proof.require_recent(request)
    form = InvitationForm(assignable_roles(actor.role), request.POST)
    if not form.is_valid():
        return _page(request, actor, 400, invite_form=form)
    try:
        given = form.cleaned_data
        invitation, link = invitations.invite(actor, given["email"], Role(given["role"]), origin_of(request))
    except Problem as problem:
        if problem.status not in TOLD:
            raise
        form.add_error("email", f"{problem.title} {problem.detail}")
        return _page(request, actor, problem.status, invite_form=form)
    return _page(request, actor, invited=invitation, link=link)


@require_POST
def take_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    invitation = invitations.take_back(actor_of(request), pk)
    messages.success(request, f"The invitation for {invitation.email} is taken back. Its link has stopped working.")
    return redirect(PAGE)


@require_POST
def change_role(request: HttpRequest, pk: UUID) -> HttpResponse:
    actor = actor_of(request)
    memberships.member(actor, pk)
    require_administering(actor)
    proof.require_recent(request)
    role = request.POST.get("role", "")
    if role not in Role.values:
        raise not_found()
    try:
        membership = memberships.change_role(actor, pk, Role(role))
    except memberships.LastOwner as problem:
        messages.error(request, f"{problem.title} {problem.detail}")
    else:
        messages.success(request, f"{membership.user.email} is {Role(role).label.lower()} now.")
    return redirect(PAGE)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Removing somebody, and leaving: asked once more, with what it means."""
    actor = actor_of(request)
    membership = memberships.member(actor, pk)
    leaving = membership.user_id == actor.user_id
    if not leaving:
        require_administering(actor)
        proof.require_recent(request)
    if request.method != "POST":
        last = memberships.is_last_owner(membership)
        context = {"leaving": leaving, "last": last, "member": membership}
        return render(request, "accounts/remove_member.html", context)
    try:
        memberships.end(actor, pk)
    except memberships.LastOwner as problem:
        messages.error(request, f"{problem.title} {problem.detail}")
        return redirect(PAGE)
    if leaving:
        messages.success(request, f"You have left {membership.workspace.name}.")
        return redirect("/")
    messages.success(request, f"{membership.user.email} is not a member any more.")
    return redirect(PAGE)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def delete(request: HttpRequest) -> HttpResponse:
    """The name has to be typed: nothing brings a workspace back."""
    actor = actor_of(request)
    require_owning(actor)
    proof.require_recent(request)
    membership = membership_of(request)
    name = membership.workspace.name if membership else ""
    typed = " ".join(request.POST.get("name", "").split())
    if request.method == "POST" and typed == name:
        workspaces.delete(actor)
        messages.success(request, f"The workspace {name} is deleted.")
        return redirect("/")
    members = memberships.of_workspace(actor).count()
    context = {"members": members, "typed": typed, "wrong": request.method == "POST"}
    return render(request, "accounts/delete_workspace.html", context, status=400 if context["wrong"] else 200)
