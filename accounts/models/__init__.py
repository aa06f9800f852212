"""People, the workspaces they share, how a script proves who it is, and what was changed by whom."""

from accounts.models.access import ApiToken, SignInLink
from accounts.models.audit import AuditEntry, AuditHead
from accounts.models.people import Membership, Role, User, Workspace

__all__ = ["ApiToken", "AuditEntry", "AuditHead", "Membership", "Role", "SignInLink", "User", "Workspace"]
