"""Who may do what in a workspace; every other app starts from an `Actor`."""

from dataclasses import dataclass
from uuid import UUID

from accounts.models import Membership, Role, User
from accounts.problems import Problem

SCOPES = {
    "chat": "Read and write your conversations and start runs",
    "models": "Read the model catalog",
    "credentials": "Manage your own provider keys",
    "account": "See your sign-in methods, sessions and API tokens, and end sessions and tokens",
    "workspace": "See your workspaces and their members, and manage them as far as your role allows",
    "policy": "Choose defaults and, as an administrator, set aliases and rules and move models",
}

# Every role may use all of what there is today; a token asks for some of it and is cut to its owner's role at each use.
SCOPES_BY_ROLE: dict[Role, frozenset[str]] = {role: frozenset(SCOPES) for role in Role}


@dataclass(frozen=True, slots=True)
class Actor:
    """A person acting in one workspace. Made at a door, passed to every look-up; never a request."""

    user_id: UUID
    workspace_id: UUID
    role: Role
    scopes: frozenset[str] = frozenset(SCOPES)

    @property
    def administers(self) -> bool:
        return self.role in {Role.OWNER, Role.ADMIN}

    def may(self, scope: str) -> bool:
        return scope in self.scopes


def actor_for(membership: Membership, scopes: frozenset[str] = frozenset(SCOPES)) -> Actor:
    """`scopes` is what was asked for; the actor gets no more of it than the role gives at this moment."""
    role = Role(membership.role)
    return Actor(membership.user_id, membership.workspace_id, role, scopes & SCOPES_BY_ROLE[role])


def assignable_roles(role: Role) -> tuple[Role, ...]:
    """The roles somebody with `role` may give to others and take from them."""
    match role:
        case Role.OWNER:
            return (Role.OWNER, Role.ADMIN, Role.MEMBER)
        case Role.ADMIN:
            return (Role.ADMIN, Role.MEMBER)
        case Role.MEMBER:
            return ()


def may_create_workspace(user: User) -> bool:
    """Who administers one already. In a workspace of their own a member would be free of the rules of theirs, with the
    installation's keys at hand."""
    return user.is_superuser or user.memberships.filter(role__in=[Role.OWNER, Role.ADMIN]).exists()


def not_allowed(title: str, detail: str = "Ask an administrator of your workspace.") -> Problem:
    return Problem(403, "not_allowed", title, detail)


def require_administering(actor: Actor) -> None:
    if not actor.administers:
        raise not_allowed("Only an administrator does this.")


def require_owning(actor: Actor) -> None:
    if actor.role != Role.OWNER:
        raise not_allowed("Only an owner does this.", "Ask an owner of the workspace.")
