"""Joining a workspace and holding a role in it; `User.is_staff` follows from roles here and is set nowhere else.

Every change takes the lock of its workspace first, so that two owners who leave at the same moment leave one behind.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import IdentityProvider, Invitation, Membership, Role, User, Workspace
from accounts.policies import Actor, assignable_roles, not_allowed
from accounts.problems import Problem, not_found

# Fixed, so that two processes that both find no workspace make the same one.
FIRST_ID = UUID("5e1f0000-0000-4000-8000-000000000001")
FIRST_NAME = "Workspace"


class LastOwner(Problem):
    """The change would leave the workspace without an owner."""

    def __init__(self) -> None:
        super().__init__(
            409, "last_owner", "A workspace keeps at least one owner.", "Make somebody else an owner first."
        )


def first_workspace(name: str = FIRST_NAME) -> Workspace:
    """The oldest workspace of the installation; made when there is none."""
    oldest = Workspace.objects.order_by("created_at", "pk").first()
    return oldest or Workspace.objects.get_or_create(pk=FIRST_ID, defaults={"name": name})[0]


# ---------------------------------------------------------------- by whoever was already allowed to
@transaction.atomic
def grant(
    user: User,
    workspace: Workspace,
    role: Role,
    *,
    by: User | UUID | None = None,
    follows: IdentityProvider | None = None,
) -> Membership:
    """Make `user` a member with `role`, or change the role they have: by hand, or because it `follows` from the claim
    map of an identity provider. Raises LastOwner."""
    lock(workspace.pk)
    membership = Membership.objects.filter(user=user, workspace=workspace).first()
    if membership is None:
        membership = Membership.objects.create(user=user, workspace=workspace, role=role, follows=follows)
        _note("member.joined", membership, by, role=str(role), **_because(follows))
    elif membership.role != role:
        _refuse_last_owner(membership)
        before, membership.role, membership.follows = membership.role, role, follows
        membership.save(update_fields=["role", "follows"])
        _note("member.role_changed", membership, by, before=str(before), after=str(role), **_because(follows))
        _take_back_invitations(membership, assignable_roles(role))
    sync_staff(user)
    return membership


@transaction.atomic
def revoke(membership: Membership, *, by: User | UUID | None = None) -> None:
    """End a membership. Sessions stay, but every look-up and every API token stops at once. Raises LastOwner."""
    lock(membership.workspace_id)
    membership = Membership.objects.select_related("user").get(pk=membership.pk)
    _refuse_last_owner(membership)
    left = by is not None and membership.user_id == getattr(by, "pk", by)
    _note("member.left" if left else "member.removed", membership, by, role=str(membership.role))
    _take_back_invitations(membership, ())
    membership.delete()
    sync_staff(membership.user)


def join_as_member(user: User) -> None:
    """What an open sign-up gives: the first workspace, as a member, whoever comes first."""
    if not user.memberships.exists():
        grant(user, first_workspace(), Role.MEMBER, by=user)


# ---------------------------------------------------------------- by a person
@transaction.atomic
def change_role(actor: Actor, pk: UUID, role: Role) -> Membership:
    """Nobody gives or takes a role above their own. Raises Problem 404, 403 or 409 (LastOwner)."""
    lock(actor.workspace_id)
    membership = member(actor, pk)
    may = assignable_roles(_role_now(actor))
    if Role(membership.role) not in may or role not in may:
        raise not_allowed("You may not give or take this role.", "Ask an owner of the workspace.")
    return grant(membership.user, membership.workspace, role, by=actor.user_id)


@transaction.atomic
def end(actor: Actor, pk: UUID) -> Membership:
    """Leave (one's own membership) or remove somebody. Raises Problem 404, 403 or 409 (LastOwner)."""
    lock(actor.workspace_id)
    membership = member(actor, pk)
    if membership.user_id != actor.user_id and Role(membership.role) not in assignable_roles(_role_now(actor)):
        raise not_allowed("You may not remove this member.", "Ask an owner of the workspace.")
    revoke(membership, by=actor.user_id)
    return membership


def of_workspace(actor: Actor) -> QuerySet[Membership]:
    """Everybody in the actor's workspace, by e-mail address."""
    rows = Membership.objects.filter(workspace_id=actor.workspace_id)
    return rows.select_related("user", "workspace").order_by("user__email")


def is_last_owner(membership: Membership) -> bool:
    owners = Membership.objects.filter(workspace_id=membership.workspace_id, role=Role.OWNER)
    return membership.role == Role.OWNER and not owners.exclude(pk=membership.pk).exists()


def lock(workspace_id: UUID) -> Workspace:
    """One change of a workspace's people at a time, until the transaction ends. Raises Problem 404."""
    workspace = Workspace.objects.select_for_update().filter(pk=workspace_id).first()
    if workspace is None:
        raise not_found()
    return workspace


def sync_staff(user: User) -> None:
    """Django's own flag says whether somebody administers anything; it opens nothing by itself."""
    administers = user.is_superuser or user.memberships.filter(role__in=[Role.OWNER, Role.ADMIN]).exists()
    if user.is_staff != administers:
        user.is_staff = administers
        user.save(update_fields=["is_staff"])


def member(actor: Actor, pk: UUID) -> Membership:
    """Raises Problem 404."""
    membership = of_workspace(actor).filter(pk=pk).first()
    if membership is None:
        raise not_found()
    return membership


def _role_now(actor: Actor) -> Role:
    """Read under the lock: the actor may have been made a moment before the role was lost."""
    own = Membership.objects.filter(user_id=actor.user_id, workspace_id=actor.workspace_id).first()
    if own is None:
        raise not_found()
    return Role(own.role)


def _refuse_last_owner(membership: Membership) -> None:
    if is_last_owner(membership):
        raise LastOwner


def _take_back_invitations(inviter: Membership, may: tuple[Role, ...]) -> None:
    """What somebody may not give any more, their open invitations do not give either."""
    sent = Invitation.objects.filter(workspace_id=inviter.workspace_id, invited_by_id=inviter.user_id)
    sent.filter(accepted_at=None, revoked_at=None).exclude(role__in=may).update(revoked_at=timezone.now())


def _because(follows: IdentityProvider | None) -> dict[str, str]:
    return {"identity_provider": follows.slug} if follows else {}


def _note(action: str, membership: Membership, by: User | UUID | None, **data: str) -> None:
    workspace = membership.workspace_id
    audit.record(action, user=by, workspace_id=workspace, target=membership.user.email, data=data)
