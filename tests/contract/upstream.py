"""A real loopback server that starts an answer, never ends it, and knows when the caller has gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Upstream:
    """Sends `opening` to every request, then only waits. `asked` and `left`: a caller came and went."""

    def __init__(self, opening: bytes, *headers: str) -> None:
        self._opening = opening
        self._headers = headers
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        lines = ["HTTP/1.1 200 OK", "content-type: text/event-stream", "connection: close", *self._headers, "", ""]
        writer.write("\r\n".join(lines).encode() + self._opening)
        await writer.drain()
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
        self.left.set()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Upstream"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
