"""Pages about a person, beside the ones that allauth serves under /accounts/."""

from django.urls import path

from accounts.views import security, sign_in, tokens, workspace, workspaces

app_name = "accounts"
urlpatterns = [
    path("enter/<str:token>/", sign_in.enter, name="enter"),
    path("welcome/", sign_in.welcome, name="welcome"),
    path("settings/accounts/", security.page, name="security"),
    path("settings/accounts/sessions/end-others/", security.end_others, name="end_other_sessions"),
    path("settings/accounts/sessions/<int:pk>/end/", security.end_session, name="end_session"),
    path("settings/accounts/sign-in-again/", sign_in.sign_in_again, name="sign_in_again"),
    path("settings/tokens/", tokens.page, name="tokens"),
    path("settings/tokens/<uuid:pk>/revoke/", tokens.revoke, name="revoke_token"),
    path("settings/workspace/", workspace.page, name="workspace"),
    path("settings/workspace/name/", workspace.rename, name="rename_workspace"),
    path("settings/workspace/delete/", workspace.delete, name="delete_workspace"),
    path("settings/workspace/members/<uuid:pk>/role/", workspace.change_role, name="change_role"),
    path("settings/workspace/members/<uuid:pk>/remove/", workspace.remove, name="remove_member"),
    path("settings/workspace/invitations/", workspace.invite, name="invite"),
    path("settings/workspace/invitations/<uuid:pk>/take-back/", workspace.take_back, name="take_back_invitation"),
    path("workspaces/new/", workspaces.new, name="new_workspace"),
    path("workspaces/switch/", workspaces.switch, name="switch_workspace"),
    path("invitations/<str:token>/", workspaces.invitation, name="invitation"),
]
