"""The API about the caller and their workspaces."""

from django.urls import path

from accounts.audit_api import AuditExportView, AuditView
from accounts.me import MeView
from accounts.workspaces_api import (
    AcceptView,
    InvitationsView,
    InvitationView,
    MembersView,
    MemberView,
    WorkspacesView,
    WorkspaceView,
)

app_name = "accounts_api"
urlpatterns = [
    path("me/", MeView.as_view(), name="me"),
    path("workspaces/", WorkspacesView.as_view(), name="workspaces"),
    path("workspaces/<uuid:workspace_id>/", WorkspaceView.as_view(), name="workspace"),
    path("members/", MembersView.as_view(), name="members"),
    path("members/<uuid:member_id>/", MemberView.as_view(), name="member"),
    path("invitations/", InvitationsView.as_view(), name="invitations"),
    path("invitations/accept/", AcceptView.as_view(), name="accept-invitation"),
    path("invitations/<uuid:invitation_id>/", InvitationView.as_view(), name="invitation"),
    path("audit/", AuditView.as_view(), name="audit"),
    path("audit/export/", AuditExportView.as_view(), name="audit-export"),
]
