"""The table: pages, and what their forms post to."""

from tests.guards.authorization.rules import (
    ADMINS,
    GONE,
    METHODS,
    NO,
    PEOPLE,
    Line,
    admins,
    members,
    own,
    owners,
    public,
    shared,
    signed_in,
    without_calling,
)

SIGNING_IN: dict[str, list[Line]] = {
    "healthz": [public(*METHODS)],
    "readyz": [Line(METHODS, PEOPLE, elsewhere="tests/project/test_health.py")],
    "login/": [public(*METHODS)],
    "signup/": [public("GET", "POST")],
    "confirm-email/": [public("GET", "POST", "PUT")],
    "login/code/confirm/": [public("GET", "POST", "PUT")],
    "password/<path:rest>": [Line(("GET", "POST"), frozenset({"anonymous", *PEOPLE}), passes=GONE)],
    "account_logout": [public("GET", "POST")],
    "account_inactive": [public(*METHODS)],
    "account_signup_by_passkey": [public(*METHODS)],
    "account_request_login_code": [public(*METHODS)],
    "mfa_authenticate": [public("GET", "POST")],
    "mfa_login_webauthn": [public(*METHODS)],
    "mfa_signup_webauthn": [public("GET", "POST", "PUT")],
    "account_reauthenticate": [signed_in("GET", "POST", "PUT")],
    "mfa_reauthenticate": [signed_in("GET", "POST", "PUT")],
    "mfa_reauthenticate_webauthn": [signed_in("GET", "POST", "PUT", anything=True)],
    "accounts:enter": [Line(("GET",), frozenset({"anonymous", *PEOPLE}), passes=GONE)],
    "openid_connect_login": [public("GET", "POST")],
    "openid_connect_callback": [public("GET", "POST")],
    "socialaccount_login_cancelled": [public(*METHODS)],
    "socialaccount_login_error": [public(*METHODS)],
    "socialaccount_signup": [public("GET", "POST", "PUT")],
    "social/login/cancelled/": [public(*METHODS)],
    "social/login/error/": [public(*METHODS)],
    "social/signup/": [public(*METHODS)],
    "accounts:link": [public("GET", "POST")],  # shows what waits in this very session
    "accounts:cancel_link": [public("POST")],
    "accounts:sign_in_again": [signed_in("GET", "POST", anything=True)],
    "accounts:welcome": [signed_in("GET")],
}

OWN_ACCOUNT: dict[str, list[Line]] = {
    "email/": [signed_in(*METHODS)],
    "3rdparty/": [signed_in(*METHODS)],
    "social/connections/": [signed_in(*METHODS)],
    "accounts:unlink": [own("linked account", "GET", "POST", by=PEOPLE)],
    "sessions/": [signed_in(*METHODS)],
    "2fa/": [signed_in(*METHODS)],
    "2fa/webauthn/": [signed_in(*METHODS)],
    "2fa/webauthn/add/": [signed_in("GET", "POST", "PUT", anything=True)],
    "2fa/webauthn/keys/<int:pk>/remove/": [own("passkey", "GET", "POST", "DELETE", by=PEOPLE)],
    "2fa/webauthn/keys/<int:pk>/edit/": [own("passkey", "GET", "POST", "PUT", by=PEOPLE)],
    "2fa/recovery-codes/": [signed_in("GET", "POST", passes=GONE)],
    "2fa/recovery-codes/download/": [signed_in("GET", passes=GONE)],
    "mfa_generate_recovery_codes": [signed_in("GET", "POST", "PUT", anything=True)],
    "accounts:security": [signed_in("GET")],
    "accounts:end_other_sessions": [signed_in("POST")],
    "accounts:end_session": [own("session", "POST", by=PEOPLE)],
    "accounts:tokens": [members("GET", "POST")],
    "accounts:revoke_token": [own("token", "POST")],
}

WORKSPACE: dict[str, list[Line]] = {
    "accounts:workspace": [members("GET")],
    "accounts:rename_workspace": [admins("POST")],
    "accounts:delete_workspace": [owners("GET", "POST")],
    "accounts:change_role": [shared("membership", "POST", by=ADMINS, body={"role": "member"})],
    "accounts:remove_member": [shared("membership", "GET", "POST", by=ADMINS)],
    "accounts:invite": [admins("POST")],
    "accounts:take_back_invitation": [shared("invitation", "POST", by=ADMINS)],
    "accounts:new_workspace": [Line(("GET", "POST"), ADMINS | {"superuser"})],
    "accounts:switch_workspace": [
        Line(("POST",), PEOPLE, body={"workspace": "{workspace}"}, anything=True),  # `references` asks
    ],
    "accounts:invitation": [Line(("GET", "POST"), frozenset({"anonymous", *PEOPLE}), passes=GONE)],
}

CHAT: dict[str, list[Line]] = {
    "chat:new": [members("GET", "POST")],
    "chat:usage": [members("GET")],
    "chat:search": [members("GET")],
    "chat:structured": [members("GET", "POST")],
    "chat:structured-run": [own("structured run", "GET")],
    "chat:structured-stop": [own("structured run", "POST")],
    "chat:conversation": [own("conversation", "GET", "POST")],
    "chat:act": [own("conversation", "POST")],
    "chat:model": [own("conversation", "POST")],
    "chat:rename": [own("conversation", "POST", body={"title": "Renamed"})],
    "chat:summarise": [own("conversation", "POST")],
    "chat:ring": [own("conversation", "GET")],
    "chat:context": [own("conversation", "POST", body={"context": "chat"})],
    "chat:specialists": [members("GET")],
    "chat:delete": [own("conversation", "POST")],
}

FILES: dict[str, list[Line]] = {
    "chat:documents": [members("GET", "POST")],
    "chat:document": [own("document", "GET", "POST")],
    "chat:document-act": [own("document", "POST", body={"do": "again:x"})],
    "chat:document-delete": [own("document", "POST")],
    "chat:document-file": [own("document", "GET")],
    "chat:document-page": [own("document", "GET", beside="1")],
    "chat:attachment": [own("attachment", "GET")],
    "chat:attachment-preview": [own("attachment", "GET", passes=GONE)],  # a text has none
    "chat:attachment-remove": [own("attachment", "POST")],
}

PROVIDERS: dict[str, list[Line]] = {
    "providers:settings": [members("GET")],
    "providers:check": [members("POST", passes=GONE)],  # names its key in the body: `references`
    "providers:keep": [
        members("POST"),
        without_calling(admins("POST", body={"shared": "1", "secret": "sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaa"})),
    ],
    "providers:keep_session": [
        without_calling(members("POST", body={"secret": "sk-bbbbbbbbbbbbbbbbbbbbbbbbbbbb"})),
        without_calling(admins("POST", body={"secret": "sk-cccccccccccccccccccccccccc", "shared": "1"})),
    ],
    # Off until the operator allows them; tests/providers turns them on.
    "providers:keep_identity": [admins("POST", passes=NO)],
    "providers:chatgpt": [members("POST", passes=NO)],
    "providers:chatgpt_done": [members("GET", passes=NO)],
    "providers:chatgpt_return": [Line(("GET",), frozenset({"anonymous", *PEOPLE}), passes=NO)],
    "providers:codex": [members("GET", passes=NO)],
    "providers:codex_import": [members("POST", passes=NO)],
    "providers:mode": [
        members("POST", body={"mode": "session"}),
        admins("POST", body={"mode": "session", "shared": "1"}),
    ],
    "providers:remove": [own("credential", "POST"), shared("workspace credential", "POST", by=ADMINS)],
    "providers:status": [members("GET")],
    "providers:check_all": [without_calling(admins("POST"))],
    "providers:status_json": [members("GET")],
}

CATALOG: dict[str, list[Line]] = {
    "catalog:models": [members("GET")],
    "catalog:model": [members("GET", passes=GONE)],
    "catalog:defaults": [members("GET", "POST")],
}

LINES = SIGNING_IN | OWN_ACCOUNT | WORKSPACE | CHAT | FILES | PROVIDERS | CATALOG
