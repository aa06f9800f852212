"""People, the workspaces they share, and how a script proves who it is."""

from accounts.models.people import Membership, Role, User, Workspace
from accounts.models.access import ApiToken, SignInLink

__all__ = ["ApiToken", "Membership", "Role", "SignInLink", "User", "Workspace"]
