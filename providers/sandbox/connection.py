"""One HTTP exchange over ASGI: a bounded body in, bytes out, and the moment the client leaves."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from providers.sandbox.wires import encoded

type Event = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Event]]
type Send = Callable[[Event], Awaitable[None]]

BODY_LIMIT = 20 * 1024 * 1024
DROP = "parley.drop"


class TooLarge(Exception):
    """The body is longer than `BODY_LIMIT`."""


class ClientGone(Exception):
    """The client left before its request was complete."""


class Connection:
    def __init__(self, scope: Event, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.over = False
        self._receive = receive
        self._send = send
        self._extensions = scope.get("extensions") or {}

    async def body(self) -> bytes:
        """Raises TooLarge and ClientGone."""
        parts: list[bytes] = []
        size = 0
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                raise ClientGone
            parts.append(event.get("body", b""))
            size += len(parts[-1])
            if size > BODY_LIMIT:
                raise TooLarge
            if not event.get("more_body"):
                return b"".join(parts)

    async def start(self, status: int, headers: dict[str, str]) -> None:
        pairs = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def write(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes = b"") -> None:
        self.over = True
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def reply(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        data = encoded(value).encode()
        common = {"content-type": "application/json", "content-length": str(len(data))}
        await self.start(status, common | (headers or {}))
        await self.finish(data)

    def drop(self) -> None:
        """Close the socket and leave the answer unfinished; what was written still arrives."""
        self.over = True
        extension = self._extensions.get(DROP)
        if extension is None:
            raise ConnectionAbortedError("this server cannot drop a connection")
        extension["close"]()

    async def until_gone(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run `work` to its end, or cancel it when the client leaves; True if the client left."""
        running = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if self.over or running.done():
                await running
                return False
            return True
        finally:
            running.cancel()
            leaving.cancel()
            await asyncio.gather(running, leaving, return_exceptions=True)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
