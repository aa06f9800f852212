"""Who may do what in a workspace; every other app starts from an `Actor`."""

from dataclasses import dataclass
from uuid import UUID

from accounts.models import Membership, Role

SCOPES = {
    "chat": "Read and write your conversations and start runs",
    "models": "Read the model catalog",
    "credentials": "Manage your own provider keys",
}


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
    return Actor(membership.user_id, membership.workspace_id, Role(membership.role), scopes)
