"""The table: everything that can be written outside the console, and whether the audit hears of it.

A call that changes who may do what, or with which key, is in AUDITED with a body that ends well for an owner (`{new}`
stands for a thing made for this call); everything else that is no GET is in UNHEARD with the reason.
"""

from typing import Any

from tests.guards.authorization import api

# (name, method): (kind that the address names, own or same workspace, what is sent, the action that is written)
AUDITED: dict[tuple[str, str], tuple[str, dict[str, Any], str]] = {
    ("accounts:tokens", "POST"): ("", {"name": "Script", "scopes": ["chat"], "days": "30"}, "api_token.created"),
    ("accounts:revoke_token", "POST"): ("token", {}, "api_token.revoked"),
    ("accounts:end_other_sessions", "POST"): ("", {}, "identity.other_sessions_ended"),
    ("accounts:end_session", "POST"): ("session", {}, "identity.session_ended"),
    ("accounts:unlink", "POST"): ("linked account", {}, "identity.unlinked"),
    ("accounts:rename_workspace", "POST"): ("", {"name": "Renamed"}, "workspace.renamed"),
    ("accounts:delete_workspace", "POST"): ("", {"name": "Ours"}, "workspace.deleted"),
    ("accounts:change_role", "POST"): ("membership", {"role": "admin"}, "member.role_changed"),
    ("accounts:remove_member", "POST"): ("membership", {}, "member.removed"),
    ("accounts:invite", "POST"): ("", {"email": "new@example.com", "role": "member"}, "invitation.sent"),
    ("accounts:take_back_invitation", "POST"): ("invitation", {}, "invitation.revoked"),
    ("accounts:new_workspace", "POST"): ("", {"name": "Another"}, "member.joined"),
    ("account_logout", "POST"): ("", {}, "identity.signed_out"),
    ("providers:remove", "POST"): ("workspace credential", {}, "credential.removed"),
    ("accounts_api:workspaces", "POST"): ("", {"name": "Another"}, "member.joined"),
    ("accounts_api:workspace", "PATCH"): ("workspace", {"name": "Renamed"}, "workspace.renamed"),
    ("accounts_api:workspace", "DELETE"): ("workspace", {}, "workspace.deleted"),
    ("accounts_api:member", "PATCH"): ("membership", {"role": "admin"}, "member.role_changed"),
    ("accounts_api:member", "DELETE"): ("membership", {}, "member.removed"),
    ("accounts_api:invitations", "POST"): ("", {"email": "new@example.com"}, "invitation.sent"),
    ("accounts_api:invitation", "DELETE"): ("invitation", {}, "invitation.revoked"),
    ("catalog_api:rules", "POST"): ("", {"effect": "deny", "provider_id": "mistral"}, "rule.created"),
    ("catalog_api:rule", "DELETE"): ("rule", {}, "rule.removed"),
    ("catalog_api:limits", "POST"): ("", api.LIMIT, "limit.created"),
    ("catalog_api:limit", "DELETE"): ("limit", {}, "limit.removed"),
    ("catalog_api:alias", "DELETE"): ("alias", {}, "alias.removed"),
    ("catalog_api:workspace-default", "PUT"): ("", {"model": ""}, "default.set"),
    ("chat_api:specialists", "POST"): ("", api.SPECIALIST, "specialist.created"),
    ("chat_api:specialist", "PATCH"): ("specialist", {"name": "Another"}, "specialist.changed"),
    ("chat_api:specialist", "DELETE"): ("specialist", {}, "specialist.removed"),
    ("providers_api:credential", "DELETE"): ("workspace credential", {}, "credential.removed"),
}

ELSEWHERE = "it is: {}"
PROVIDER = ELSEWHERE.format("tests/providers/test_credential_audit.py, with a provider that answers")
SIGNING = ELSEWHERE.format("tests/accounts/test_sign_in_events.py, along the way of a sign-in")
LINKED = ELSEWHERE.format("tests/accounts/identity, along the way of a link")
INVITED = ELSEWHERE.format("tests/accounts/test_invitations.py")
CONTENT = "what a person writes, to whom and when is theirs; the run has a trace of its model and credential"
ASKS = "changes nothing"
DRILL = "touches nothing of anybody; its row says who started it"
MODELS = ELSEWHERE.format("tests/catalog/test_catalog_audit.py, with a catalog that has models in it")
CHOICE = "a choice within what the rules allow"
STEP = "one step of signing in, written when it ends"

UNHEARD: dict[tuple[str, str], str] = {
    ("providers:keep", "POST"): PROVIDER,
    ("providers:check", "POST"): PROVIDER,
    ("providers:check_all", "POST"): PROVIDER,
    ("providers_api:credentials", "POST"): PROVIDER,
    ("providers_api:check", "POST"): PROVIDER,
    ("2fa/webauthn/add/", "POST"): SIGNING,
    ("2fa/webauthn/keys/<int:pk>/remove/", "POST"): SIGNING,
    ("2fa/webauthn/keys/<int:pk>/edit/", "POST"): "a name for oneself; the key stays the same",
    ("mfa_generate_recovery_codes", "POST"): SIGNING,
    ("2fa/recovery-codes/", "POST"): "says that they were seen",
    ("accounts:invitation", "POST"): INVITED,
    ("accounts_api:accept-invitation", "POST"): INVITED,
    ("accounts:switch_workspace", "POST"): "where one's own session looks; each workspace notes what is done in it",
    ("accounts:sign_in_again", "POST"): SIGNING,
    ("login/", "POST"): STEP,
    ("signup/", "POST"): STEP,
    ("confirm-email/", "POST"): STEP,
    ("login/code/confirm/", "POST"): STEP,
    ("account_signup_by_passkey", "POST"): STEP,
    ("account_request_login_code", "POST"): STEP,
    ("account_reauthenticate", "POST"): STEP,
    ("mfa_authenticate", "POST"): STEP,
    ("mfa_login_webauthn", "POST"): SIGNING,
    ("mfa_signup_webauthn", "POST"): SIGNING,
    ("mfa_reauthenticate", "POST"): STEP,
    ("mfa_reauthenticate_webauthn", "POST"): STEP,
    ("healthz", "POST"): ASKS,
    ("account_inactive", "POST"): ASKS,
    ("password/<path:rest>", "POST"): ASKS,
    ("email/", "POST"): ASKS,
    ("sessions/", "POST"): ASKS,
    ("2fa/", "POST"): ASKS,
    ("2fa/webauthn/", "POST"): ASKS,
    ("readyz", "POST"): ASKS,
    ("catalog_api:explain", "POST"): ASKS,
    ("accounts:link", "POST"): LINKED,
    ("accounts:cancel_link", "POST"): ASKS,
    ("openid_connect_login", "POST"): STEP,
    ("openid_connect_callback", "POST"): STEP,
    ("socialaccount_login_cancelled", "POST"): ASKS,
    ("socialaccount_login_error", "POST"): ASKS,
    ("socialaccount_signup", "POST"): STEP,
    ("social/login/cancelled/", "POST"): ASKS,
    ("social/login/error/", "POST"): ASKS,
    ("social/signup/", "POST"): ASKS,
    ("social/connections/", "POST"): ASKS,
    ("3rdparty/", "POST"): ASKS,
    ("chat:documents", "POST"): CONTENT,
    ("chat:document", "POST"): CONTENT,
    ("chat:document-act", "POST"): CONTENT,
    ("chat:document-delete", "POST"): CONTENT,
    ("chat:attachment-remove", "POST"): CONTENT,
    ("chat_api:attachments", "POST"): CONTENT,
    ("chat_api:attachment", "DELETE"): CONTENT,
    ("chat_api:documents", "POST"): CONTENT,
    ("chat_api:document", "DELETE"): CONTENT,
    ("chat_api:document-runs", "POST"): CONTENT,
    ("chat_api:run-tool-results", "POST"): CONTENT,
    ("providers_api:drills", "POST"): ELSEWHERE.format("tests/providers/test_credential_audit.py, where it may begin"),
    ("providers_api:drill_stop", "POST"): "ends what was started, and that is written down",
    ("catalog:defaults", "POST"): "a workspace's default is written by the flow that the API calls too",
    ("catalog_api:own-default", "PUT"): CHOICE,
    ("catalog_api:aliases", "POST"): MODELS,
    ("catalog_api:migrations", "POST"): MODELS,
    ("catalog_api:undo", "POST"): MODELS,
    ("chat:summarise", "POST"): CONTENT,
    ("chat:context", "POST"): CONTENT,
    ("chat_api:summary", "POST"): CONTENT,
    ("chat_api:compaction", "PATCH"): CONTENT,
    ("chat:new", "POST"): CONTENT,
    ("chat:structured", "POST"): CONTENT,
    ("chat:structured-stop", "POST"): CONTENT,
    ("chat:conversation", "POST"): CONTENT,
    ("chat:act", "POST"): CONTENT,
    ("chat:rename", "POST"): CONTENT,
    ("chat:delete", "POST"): CONTENT,
    ("chat:model", "POST"): CHOICE,
    ("chat_api:conversations", "POST"): CONTENT,
    ("chat_api:conversation", "PATCH"): CONTENT,
    ("chat_api:conversation", "DELETE"): CONTENT,
    ("chat_api:runs", "POST"): CONTENT,
    ("chat_api:run-stop", "POST"): CONTENT,
    ("chat_api:structured", "POST"): CONTENT,
}
