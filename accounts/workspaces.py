"""Making, naming, choosing and deleting workspaces; who is in them is `memberships`."""

from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, memberships
from accounts.actors import WORKSPACE_KEY
from accounts.models import Membership, Role, User, Workspace
from accounts.policies import (
    Actor,
    may_create_workspace,
    not_allowed,
    require_administering,
    require_owning,
)
from accounts.problems import Problem, not_found


def joined(user: User) -> QuerySet[Membership]:
    """Someone's memberships with their workspaces, the one joined first at the head."""
    return user.memberships.select_related("workspace").order_by("created_at", "pk")


@transaction.atomic
def create(user: User, name: str) -> Workspace:
    """A workspace that `user` owns. Raises Problem 403, 422."""
    if not may_create_workspace(user):
        raise not_allowed("Only an administrator makes a workspace.")
    workspace = Workspace.objects.create(name=_named(name))
    audit.record("workspace.created", user=user, workspace_id=workspace.pk, target=workspace.name)
    memberships.grant(user, workspace, Role.OWNER, by=user)
    return workspace


@transaction.atomic
def rename(actor: Actor, name: str) -> Workspace:
    """Raises Problem 403, 422."""
    require_administering(actor)
    workspace = memberships.lock(actor.workspace_id)
    before, workspace.name = workspace.name, _named(name)
    workspace.save(update_fields=["name"])
    audit.note(actor, "workspace.renamed", before, after=workspace.name)
    return workspace


@transaction.atomic
def delete(actor: Actor) -> None:
    """Remove the actor's workspace and all that belongs to it: conversations, keys, rules, tokens, invitations.
    Its audit stays. Raises Problem 403."""
    require_owning(actor)
    workspace = memberships.lock(actor.workspace_id)
    people = list(User.objects.filter(memberships__workspace=workspace, is_staff=True))
    audit.note(actor, "workspace.deleted", workspace.name)
    workspace.delete()
    for person in people:
        memberships.sync_staff(person)


def choose(user: User, session: MutableMapping[str, Any], workspace_id: UUID) -> Workspace:
    """Make this the workspace that the session acts in. Raises Problem 404 for one that `user` is not in."""
    membership = joined(user).filter(workspace_id=workspace_id).first()
    if membership is None:
        raise not_found()
    session[WORKSPACE_KEY] = str(workspace_id)
    return membership.workspace


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80:
        raise Problem(422, "invalid_name", "Give it a name of at most 80 characters.", field="name")
    return name
