"""The API about the caller and their workspaces."""

from django.urls import path

from accounts.account_api import (
    LinkedAccountsView,
    LinkedAccountView,
    PasskeysView,
    PasskeyView,
    SessionsView,
    SessionView,
    TokensView,
    TokenView,
)
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
    path("me/passkeys/", PasskeysView.as_view(), name="passkeys"),
    path("me/passkeys/<int:passkey_id>/", PasskeyView.as_view(), name="passkey"),
    path("me/linked-accounts/", LinkedAccountsView.as_view(), name="linked-accounts"),
    path("me/linked-accounts/<int:account_id>/", LinkedAccountView.as_view(), name="linked-account"),
    path("me/sessions/", SessionsView.as_view(), name="sessions"),
    path("me/sessions/<int:session_id>/", SessionView.as_view(), name="session"),
    path("me/api-tokens/", TokensView.as_view(), name="api-tokens"),
    path("me/api-tokens/<uuid:token_id>/", TokenView.as_view(), name="api-token"),
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
