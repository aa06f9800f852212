"""Joining a workspace and holding a role in it; `User.is_staff` follows from roles here and is set nowhere else."""

from uuid import UUID

from django.db import transaction

from accounts.models import Membership, Role, User, Workspace

# Fixed, so that two processes that both find no workspace make the same one.
FIRST_ID = UUID("5e1f0000-0000-4000-8000-000000000001")
FIRST_NAME = "Workspace"


class LastOwner(Exception):
    """The change would leave the workspace without an owner."""


def first_workspace(name: str = FIRST_NAME) -> Workspace:
    """The oldest workspace of the installation; made when there is none."""
    oldest = Workspace.objects.order_by("created_at", "pk").first()
    return oldest or Workspace.objects.get_or_create(pk=FIRST_ID, defaults={"name": name})[0]


@transaction.atomic
def grant(user: User, workspace: Workspace, role: Role) -> Membership:
    """Make `user` a member with `role`, or change the role they have. Raises LastOwner."""
    current = Membership.objects.select_for_update().filter(user=user, workspace=workspace).first()
    if current and current.role == Role.OWNER and role != Role.OWNER:
        _refuse_last_owner(current)
    membership, _ = Membership.objects.update_or_create(user=user, workspace=workspace, defaults={"role": role})
    _sync_staff(user)
    return membership


@transaction.atomic
def revoke(membership: Membership) -> None:
    """End a membership. Sessions stay, but every look-up and every API token stops at once. Raises LastOwner."""
    if membership.role == Role.OWNER:
        _refuse_last_owner(membership)
    membership.delete()
    _sync_staff(membership.user)


def join_as_member(user: User) -> None:
    """What an open sign-up gives: the first workspace, as a member, whoever comes first."""
    if not user.memberships.exists():
        grant(user, first_workspace(), Role.MEMBER)


def is_last_owner(membership: Membership) -> bool:
    owners = Membership.objects.filter(workspace_id=membership.workspace_id, role=Role.OWNER)
    return membership.role == Role.OWNER and not owners.exclude(pk=membership.pk).exists()


def _refuse_last_owner(membership: Membership) -> None:
    owners = Membership.objects.select_for_update().filter(workspace_id=membership.workspace_id, role=Role.OWNER)
    if len(owners) <= 1:
        raise LastOwner


def _sync_staff(user: User) -> None:
    administers = user.memberships.filter(role__in=[Role.OWNER, Role.ADMIN]).exists()
    if user.is_staff != (administers or user.is_superuser):
        user.is_staff = administers or user.is_superuser
        user.save(update_fields=["is_staff"])
