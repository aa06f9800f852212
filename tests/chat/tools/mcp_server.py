"""A real MCP server for tests, of the library that Parley's client comes from, in a process of its own."""

import asyncio
import os
import socket
import sys
import threading
from typing import Any

TOKEN = "mcp-token-of-the-test"


def make() -> Any:
    from mcp.server.mcpserver import Image, MCPServer

    server = MCPServer("test")

    @server.tool()
    def add(a: int, b: int) -> str:
        """Adds two numbers."""
        return f"The sum is {a + b}."

    @server.tool()
    def fail() -> str:
        """Fails."""
        raise ValueError("the well is dry")

    @server.tool()
    def draw() -> Image:
        """Draws."""
        return Image(data=b"\x89PNG", format="png")

    @server.tool()
    def long() -> str:
        """Gives more than anybody reads."""
        return "x" * 60_000

    @server.tool()
    async def slow() -> str:
        """Takes its time."""
        await asyncio.sleep(30)
        return "done"

    return server.streamable_http_app()


class Doors:
    """The server at /mcp for who has the token; beside it, places that are no MCP server."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        match scope["path"]:
            case "/mcp" if headers.get(b"authorization") == f"Bearer {TOKEN}".encode():
                await self.app(scope, receive, send)
            case "/mcp":
                await answer(send, 401)
            case "/moved":
                await answer(send, 307, (b"location", b"/mcp"))
            case "/packed":
                await answer(send, 200, (b"content-encoding", b"gzip"), body=b"\x1f\x8b")
            case "/long":
                await answer(send, 200, (b"content-type", b"application/json"), body=b"[" * 16 * 1024 * 1024)
            case "/hangs":
                await asyncio.sleep(60)
            case _:
                await answer(send, 200, (b"content-type", b"text/html"), body=b"<p>Hello")


async def answer(send: Any, status: int, *headers: tuple[bytes, bytes], body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def end_with_the_test() -> None:
    """Standard input is a lifeline: it closes when whoever started this ends, killed or not. Some answers never end, so
    nothing is waited for."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0))
    app = Doors(make())
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=end_with_the_test, daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()
