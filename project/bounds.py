"""How much a request may carry. A front proxy refuses it earlier (docs/operations.md); this holds without one."""

from typing import Any

from django.conf import settings

from project.problems import JSON, TOO_LARGE, body, for_program, page


class _Overflow(Exception):
    """More bytes arrived than a request may carry, whatever its headers said."""


class BodyBound:
    """Stops reading at the limit and answers 413, before Django has stored the rest."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        limit, taken, answered = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, 0, False

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
                await refuse(scope, send)


async def refuse(scope: dict[str, Any], send: Any) -> None:
    accept = dict(scope.get("headers", [])).get(b"accept", b"").decode("latin1")
    program = for_program(scope["path"], accept)
    content = body(TOO_LARGE) if program else page(TOO_LARGE)
    headers = [
        (b"content-type", (JSON if program else "text/html; charset=utf-8").encode()),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": TOO_LARGE.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
