"""Plain functions that make rows; every value can be read in a failure."""

from typing import Any

from accounts.models import Membership, Role, User, Workspace
from accounts.policies import Actor, actor_for


def make_user(email: str = "alice@example.com", **over: Any) -> User:
    return User.objects.create_user(email, **over)


def make_workspace(name: str = "Example", **over: Any) -> Workspace:
    return Workspace.objects.create(name=name, **over)


def make_member(user: User, workspace: Workspace, role: Role = Role.MEMBER) -> Membership:
    return Membership.objects.create(user=user, workspace=workspace, role=role)


def make_actor(email: str = "alice@example.com", workspace: Workspace | None = None, role: Role = Role.OWNER) -> Actor:
    """A person with a membership: alice owns, bob shares the workspace, charlie is an outsider."""
    return actor_for(make_member(make_user(email), workspace or make_workspace(), role))
