"""The table: the API, asked with a session. What a token's scopes leave of it is in tests/accounts/test_tokens.py."""

from tests.guards.authorization.rules import (
    ADMINS,
    GONE,
    MEMBERS,
    OWNERS,
    Line,
    admins,
    members,
    own,
    shared,
    signed_in,
    without_calling,
)

ALIAS = {"name": "fast", "target": "openai/gpt-x", "reason": "It is."}
SPECIALIST = {"name": "Poet", "slug": "poet", "description": "Rhymes."}

LIMIT = {"measure": "requests", "period": "hour", "hard": 20}

LINES: dict[str, list[Line]] = {
    "api-schema": [signed_in("GET")],
    "api-docs": [signed_in("GET")],
    "accounts_api:me": [members("GET")],
    "accounts_api:passkeys": [members("GET")],
    "accounts_api:passkey": [own("passkey", "PATCH", "DELETE", body={"name": "Phone"})],
    "accounts_api:linked-accounts": [members("GET")],
    "accounts_api:linked-account": [own("linked account", "DELETE")],
    "accounts_api:sessions": [members("GET", "DELETE")],
    "accounts_api:session": [own("session", "DELETE")],
    "accounts_api:api-tokens": [members("GET", "POST", body={"name": "Script", "scopes": ["chat"]})],
    "accounts_api:api-token": [own("token", "DELETE")],
    "accounts_api:workspaces": [members("GET"), admins("POST", body={"name": "Another"})],
    "accounts_api:workspace": [
        shared("workspace", "GET"),
        shared("workspace", "PATCH", by=ADMINS, body={"name": "Another"}),
        shared("workspace", "DELETE", by=OWNERS),
    ],
    "accounts_api:members": [members("GET")],
    "accounts_api:member": [
        shared("membership", "GET"),
        shared("membership", "PATCH", by=ADMINS, body={"role": "member"}),
        shared("membership", "DELETE", by=ADMINS),
    ],
    "accounts_api:invitations": [members("GET"), admins("POST", body={"email": "new@example.com"})],
    "accounts_api:accept-invitation": [signed_in("POST", body={"token": "nonsense"}, passes=GONE)],
    "accounts_api:invitation": [shared("invitation", "DELETE", by=ADMINS)],
    "accounts_api:audit": [admins("GET")],
    "accounts_api:audit-export": [admins("GET")],
    "catalog_api:models": [members("GET")],
    "catalog_api:leaving": [admins("GET")],
    "catalog_api:defaults": [members("GET")],
    "catalog_api:own-default": [members("PUT", body={"model": ""})],
    "catalog_api:workspace-default": [admins("PUT", body={"model": ""})],
    "catalog_api:aliases": [members("GET"), admins("POST", body=ALIAS)],
    "catalog_api:alias": [shared("alias", "DELETE", by=ADMINS)],
    "catalog_api:access": [members("GET")],
    "catalog_api:rules": [members("GET"), admins("POST", body={"effect": "deny", "provider_id": "mistral"})],
    "catalog_api:rule": [shared("rule", "DELETE", by=ADMINS)],
    "catalog_api:limits": [members("GET"), admins("POST", body=LIMIT)],
    "catalog_api:limit": [shared("limit", "DELETE", by=ADMINS)],
    "catalog_api:migrations": [admins("GET"), admins("POST", body={"from_model": "a/b", "to_model": "a/c"})],
    "catalog_api:undo": [shared("migration", "POST", by=ADMINS)],
    "chat_api:explain": [members("POST")],
    "chat_api:conversations": [members("GET", "POST")],
    "chat_api:conversation": [own("conversation", "GET", "PATCH", "DELETE")],
    "chat_api:messages": [own("conversation", "GET")],
    "chat_api:summary": [own("conversation", "GET", passes=GONE), own("conversation", "POST")],
    "chat_api:context": [own("conversation", "GET", passes=GONE)],
    "chat_api:compactions": [own("conversation", "GET")],
    "chat_api:compaction": [
        own("conversation", "PATCH", beside="compaction", body={"revoked": True}),
        own("compaction", "PATCH", beside="conversation", inner=True, body={"revoked": True}),
    ],
    "chat_api:specialists": [members("GET"), admins("POST", body=SPECIALIST)],
    "chat_api:specialist": [
        shared("specialist", "GET"),
        shared("specialist", "PATCH", by=ADMINS, body={"name": "Another"}),
        shared("specialist", "DELETE", by=ADMINS),
    ],
    "chat_api:attachments": [members("GET", "POST")],
    "chat_api:attachment": [own("attachment", "GET", "DELETE")],
    "chat_api:attachment-content": [own("attachment", "GET")],
    "chat_api:documents": [members("GET", "POST")],
    "chat_api:document": [own("document", "GET", "DELETE")],
    "chat_api:document-content": [own("document", "GET")],
    "chat_api:document-pages": [own("document", "GET")],
    "chat_api:document-runs": [own("document", "GET", "POST", body={"task": "summary"})],
    "chat_api:document-run": [
        own("document", "GET", beside="document run"),
        own("document run", "GET", beside="document", inner=True),
    ],
    "chat_api:run-tool-results": [
        own("run", "POST", body={"results": [{"tool_call_id": "call-1", "result": "Sunny"}]}),
    ],
    "chat_api:tools": [members("GET")],
    "chat_api:runs": [members("POST")],
    "chat_api:run": [own("run", "GET")],
    "chat_api:run-stop": [own("run", "POST")],
    "chat_api:run-events": [own("run", "GET", elsewhere="tests/guards/test_live_authorization.py")],
    # With a session nobody passes here: an API token is the only key.
    "gateway:models": [Line(("GET",), MEMBERS, elsewhere="tests/chat/gateway")],
    "gateway:model": [Line(("GET",), MEMBERS, elsewhere="tests/chat/gateway")],
    "gateway:chat-completions": [Line(("POST",), MEMBERS, elsewhere="tests/chat/gateway")],
    "gateway:responses": [Line(("POST",), MEMBERS, elsewhere="tests/chat/gateway")],
    "chat_api:usage": [members("GET")],
    "chat_api:workspace-usage": [admins("GET")],
    "chat_api:remaining": [members("GET")],
    "chat_api:structured": [members("POST")],
    "chat_api:structured-run": [own("structured run", "GET")],
    "providers_api:health": [members("GET")],
    "providers_api:credentials": [
        members("GET", "POST"),
        without_calling(
            admins("POST", body={"provider_id": "openai", "secret": "sk-aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "shared": True})
        ),
    ],
    "providers_api:credential": [
        own("credential", "GET", "DELETE"),
        shared("workspace credential", "GET"),
        shared("workspace credential", "DELETE", by=ADMINS),
    ],
    "providers_api:sessions": [
        without_calling(members("POST", body={"provider_id": "openai", "secret": "sk-bbbbbbbbbbbbbbbbbbbbbbbbbbbb"})),
        without_calling(
            admins("POST", body={"provider_id": "openai", "secret": "sk-cccccccccccccccccccccccccc", "shared": True})
        ),
    ],
    "providers_api:mode": [
        members("PUT", body={"mode": "session"}),
        admins("PUT", body={"mode": "session", "shared": True}),
    ],
    "providers_api:check": [
        without_calling(own("credential", "POST")),
        without_calling(shared("workspace credential", "POST")),
    ],
    "providers_api:drills": [
        admins("GET"),
        without_calling(admins("POST", body={"provider_id": "openai", "kind": "outage"})),
    ],
    "providers_api:drill": [shared("drill", "GET", by=ADMINS)],
    "providers_api:drill_stop": [shared("drill", "POST", by=ADMINS)],
}
