"""People, the workspaces they share, how a script proves who it is, and what was changed by whom."""

from accounts.models.access import ApiToken, SignInLink
from accounts.models.audit import AuditEntry, AuditHead
from accounts.models.invitations import Invitation
from accounts.models.people import Membership, Role, User, Workspace

__all__ = ["ApiToken", "AuditEntry", "AuditHead", "Invitation", "Membership", "Role", "SignInLink", "User", "Workspace"]
