"""How much a request may carry. A front proxy refuses it earlier (docs/operations.md); this holds without one."""

import re
from typing import Any

from django.conf import settings

from accounts.problems import Problem
from project.problems import JSON, TOO_LARGE, TOO_LARGE_FILES, body, for_program, page

# Where files may come in: the message boxes, attachments and documents, on pages and in the API.
_UPLOADS = re.compile(r"/(?:c/[0-9a-f-]{36}/)?|/(?:api/v1/)?(?:attachments|documents)/")


# Programs send files inside their JSON, a third larger than they are.
_GATEWAY_BYTES = 20 * 1024 * 1024


def limit_of(path: str, content_type: str) -> tuple[int, Problem]:
    """How many bytes a request may carry, and what is said to one that carries more."""
    if content_type.startswith("multipart/form-data") and _UPLOADS.fullmatch(path):
        return settings.UPLOAD_BYTES, TOO_LARGE_FILES
    if path.startswith("/v1/"):
        return _GATEWAY_BYTES, TOO_LARGE_FILES
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE, TOO_LARGE


class _Overflow(Exception):
    """More bytes arrived than a request may carry, whatever its headers said."""


class BodyBound:
    """Stops reading at the limit and answers 413, before Django has stored the rest."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        kind = dict(scope.get("headers", [])).get(b"content-type", b"").decode("latin1")
        limit, refusal = limit_of(scope.get("path", ""), kind)
        taken, answered = 0, False

        async def bounded() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise _Overflow
            return message

        async def watched(message: Any) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self.application(scope, bounded, watched)
        except _Overflow:
            if not answered:
                await refuse(scope, send, refusal)


async def refuse(scope: dict[str, Any], send: Any, refusal: Problem) -> None:
    accept = dict(scope.get("headers", [])).get(b"accept", b"").decode("latin1")
    program = for_program(scope["path"], accept)
    content = body(refusal) if program else page(refusal)
    headers = [
        (b"content-type", (JSON if program else "text/html; charset=utf-8").encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
