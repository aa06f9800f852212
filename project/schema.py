"""What the OpenAPI document says beyond the views: problems, and the stream, which is no ordinary response."""

from typing import Any

from chat.protocol import EVENT_TYPES

# Every code a request can be refused with. Codes of a run that fails later come in its `error` event.
CODES = {
    "malformed": "400: the body is not one JSON object.",
    "bad_request": "400: the request itself makes no sense, its host or headers for example.",
    "invalid_idempotency_key": "400: the Idempotency-Key is too long.",
    "invalid_position": "400: this is no position in the stream.",
    "invalid_request": "400: a field is missing or makes no sense; `errors` lists field, code and message of each.",
    "invalid_time": "400: `since` and `until` are dates or times in ISO 8601.",
    "unknown_kind": "400: there is no such kind of file.",
    "not_authenticated": "401: neither a token nor a session came along.",
    "not_signed_in": "401: the same, for a stream.",
    "invalid_token": "401: there is no such token.",
    "token_expired": "401: the token is past its date.",
    "token_revoked": "401: somebody revoked the token.",
    "forbidden": "403: this is not for you.",
    "not_allowed": "403: your role does not allow this.",
    "other_address": "403: the invitation is for another e-mail address than the verified ones of yours.",
    "proof_needed": "403: prove who you are again in the browser, or send a token.",
    "sign_in_method_needed": "403: the account has no passkey and no linked account yet; add one in the browser.",
    "scope_missing": "403: the token lacks the scope.",
    "session_needed": "403: an API token does not do this; a browser session does.",
    "last_method": "409: this is the last way to sign in, so it stays.",
    "no_workspace": "403: you are in no workspace.",
    "csrf_failed": "403: a session was used without its CSRF token.",
    "policy_denied": "403: the workspace does not allow this: a model that a rule forbids, or naming a credential.",
    "not_found": "404: it does not exist, or it is not yours; the two are the same.",
    "method_not_allowed": "405: this address does not know the method.",
    "not_acceptable": "406: the API answers JSON.",
    "no_specialists": "422: the workspace has no specialists to delegate to.",
    "slug_taken": "409: another specialist of the workspace has this slug.",
    "too_many": "422: the workspace has as many specialists, or limits, as it may have.",
    "run_active": "409: an answer is being written on this branch; `run` and `stream_id` name it.",
    "drill_running": "409: one drill runs at a time.",
    "idempotency_conflict": "409: this key was used with another body.",
    "not_undoable": "409: the move was undone before, or one of its models has left the catalog.",
    "too_many_files": "409: a message may carry ten files.",
    "already_answered": "409: this call has another result, which is stored; `tool_call_id` names it.",
    "not_awaited": "409: nothing waits for this result; `tool_call_id` names the call.",
    "document_pending": "409: the document is still being read.",
    "attachment_sent": "409: a message carries this file; it goes with the conversation.",
    "already_member": "409: whom you invite is a member already.",
    "last_owner": "409: a workspace keeps at least one owner.",
    "invitation_accepted": "410: somebody has used the invitation.",
    "invitation_expired": "410: the invitation is past its date.",
    "body_too_large": "413: a request may carry at most 2 MiB, one with files 50 MiB.",
    "file_too_large": "413: a file may have 20 MB.",
    "result_too_long": "413: the result of a tool is longer than one may be; `tool_call_id` names the call.",
    "too_many_tools": "413: a request brings more tools than it may, or more text in them.",
    "storage_full": "413: your files fill what a member may store.",
    "input_too_long": "413: the message is longer than one may be.",
    "unsupported_media_type": "415: send `application/json`.",
    "unsupported_file": "415: no file of this kind can be read.",
    "empty_file": "422: there is nothing in the file.",
    "wrong_extension": "422: the content of the file is not what its name says.",
    "document_unreadable": "422: the document could not be read, or no text was found in it.",
    "attachment_failed": "422: a file of the message could not be read.",
    "attachment_elsewhere": "422: a file of the message belongs to another conversation.",
    "input_empty": "422: there is nothing to answer.",
    "model_not_found": "422: the catalog knows no such model.",
    "tool_not_found": "422: `/api/v1/tools/` lists no such tool; `tool` names it.",
    "invalid_alias": "422: an alias is one word.",
    "credential_elsewhere": "422: the credential that is named is for another provider than the model.",
    "invalid_mode": "422: the mode is api_key or session.",
    "invalid_shared": "422: this kind of session belongs to a workspace.",
    "name_taken": "422: a model has this name, and an alias never stands before a model.",
    "invalid_reason": "422: an alias says why it is there.",
    "invalid_successor": "422: the other model is the same one, or is not listed any more.",
    "invalid_schema": "422: this JSON Schema cannot be used; `path` leads to what is wrong in it.",
    "invalid_drill": "422: there is no such drill; `field` names what makes no sense.",
    "invalid_limit": "422: a limit is soft, hard or both, and the soft one comes first; `field` names what is wrong.",
    "member_not_found": "422: nobody of that id is in this workspace.",
    "unknown_context": "422: there is no such context.",
    "invalid_name": "422: a name has 1 to 80 characters.",
    "too_many_invitations": "429: an hour holds 50 invitations, a workspace 200 pending ones.",
    "stopped": "410: somebody stopped this answer of `/v1`; a stream that has begun ends with an error of this code.",
    "limit_reached": "429: a limit of the workspace leaves you nothing; `limit` says which, `retry_after` until when.",
    "throttled": "429: wait `retry_after` seconds.",
    "internal": "500: our fault; it is in the server's log.",
    "not_ready": "503: `failing` names what cannot store anything.",
    "storage_unavailable": "503: the database is not answering; wait `retry_after` seconds.",
}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457). Some codes add fields, as their line says.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do about it."},
        "code": {"type": "string", "description": "A stable word: " + ", ".join(CODES) + "."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
            },
        },
    },
}
REFUSED = {
    "description": "Refused; `code` says why.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
STREAM_PATH = "/api/v1/runs/{id}/events"
STREAM: dict[str, Any] = {
    "get": {
        "operationId": "runs_events",
        "summary": "Follow a run",
        "description": "Server-sent events of one run, from any sequence, while it goes on and after it ended. "
        "Each has `event: <type>`, `id: <stream_id>:<sequence>` and `data: {streamId, sequence, data}`. "
        f"Types: {', '.join(sorted(EVENT_TYPES))}. Sequences count from 1 without gaps; exactly one `done` or "
        "`error` is the last. A comment comes every 15 seconds.",
        "tags": ["runs"],
        "security": [{"token": []}, {"cookieAuth": []}],
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
            {
                "name": "after",
                "in": "query",
                "schema": {"type": "integer", "minimum": 0, "default": 0},
                "description": "Start behind this sequence.",
            },
            {
                "name": "Last-Event-ID",
                "in": "header",
                "schema": {"type": "string"},
                "description": "The last `id` that arrived; what a reconnecting EventSource sends.",
            },
        ],
        "responses": {
            "200": {"description": "The events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
        },
    }
}


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's last step: the stream joins the paths, and every operation may answer a problem."""
    result["paths"][STREAM_PATH] = STREAM
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault("default", REFUSED)
    return result
