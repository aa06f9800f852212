"""People, the workspaces they share, and how a script proves who it is."""

from accounts.models.access import ApiToken, SignInLink
from accounts.models.people import Membership, Role, User, Workspace

__all__ = ["ApiToken", "Membership", "Role", "SignInLink", "User", "Workspace"]
