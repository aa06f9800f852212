"""MCP servers over streamable HTTP: what tools they offer, and calling them. Rows and forms are elsewhere; the client
library is loaded with the first call."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx2

from accounts import keyring, sealing
from chat import schemas
from chat.models import McpServer
from chat.protocol import clean
from chat.tools.contract import Scope, Tool, ToolFailed
from providers import egress, policies
from providers.contract import ToolSpec
from providers.secrets import Secret

if TYPE_CHECKING:
    from mcp import Client

LIST_SECONDS = 8.0
KEPT_SECONDS = 60.0
FAILED_KEPT_SECONDS = 15.0
MOST_TOOLS = 64
MOST_PAGES = 10
DESCRIPTION_CHARS = 4_000
NAME_CHARS = 64
_STRANGE = re.compile(r"[^a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Server:
    """An MCP server ready to be called, unless `error` says why not. `allowed` empty means all of its tools."""

    pk: UUID
    name: str
    url: str
    secret: Secret | None = field(repr=False)
    allowed: tuple[str, ...]
    seconds: float
    version: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server offers: specs under its own names, and each tool that cannot be used with the reason. `error` is
    empty when it answered."""

    specs: tuple[ToolSpec, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    error: str = ""


# ---------------------------------------------------------------- rows
def opened(row: McpServer) -> Server:
    try:
        secret, error = _unsealed(McpServer.objects.defer(None).get(pk=row.pk)), ""
    except keyring.DecryptionFailed:
        secret, error = None, "Its secret cannot be read. Enter it again."
    return Server(row.pk, row.name, row.url, secret, tuple(row.allowed), row.seconds, row.updated_at, error)


def _unsealed(row: McpServer) -> Secret | None:
    return None if row.secret is None else sealing.unseal(row, row.secret)


# ---------------------------------------------------------------- a run's tools
async def tools_of(servers: Sequence[Server], taken: Collection[str]) -> tuple[list[Tool], list[tuple[str, str]]]:
    """The tools of these servers under names that no other tool has, and the servers that gave none, with why."""
    listings = await asyncio.gather(*(_kept(server) for server in servers))
    names = set(taken)
    tools: list[Tool] = []
    for server, listing in zip(servers, listings, strict=True):
        allowed = [spec for spec in listing.specs if not server.allowed or spec.name in server.allowed]
        tools += [_tool(server, spec, _name(server, spec, names)) for spec in allowed]
    found = zip(servers, listings, strict=True)
    return tools, [(server.name, listing.error) for server, listing in found if listing.error]


def _name(server: Server, spec: ToolSpec, taken: set[str]) -> str:
    """What every vendor takes: letters, digits, dashes and underscores, at most 64."""
    plain = _STRANGE.sub("_", f"{server.name}_{spec.name}").strip("_") or "tool"
    name, number = plain[:NAME_CHARS], 1
    while name in taken:
        number += 1
        name = f"{plain[: NAME_CHARS - 3]}_{number}"
    taken.add(name)
    return name


def _tool(server: Server, spec: ToolSpec, name: str) -> Tool:
    async def call(arguments: Mapping[str, Any], scope: Scope) -> str:
        return await _called(server, spec.name, arguments)

    return Tool(ToolSpec(name, spec.description, spec.parameters), call, server.seconds)


# ---------------------------------------------------------------- listing
_listings: dict[tuple[UUID, datetime], tuple[float, Listing]] = {}


async def _kept(server: Server) -> Listing:
    """The listing of the last minute, or a new one."""
    key = (server.pk, server.version)
    until, listing = _listings.get(key, (0.0, Listing()))
    if until < time.monotonic():
        listing = await listed(server)
        now = time.monotonic()
        for old in [each for each, (kept_until, _) in _listings.items() if kept_until < now]:
            del _listings[old]
        _listings[key] = (now + (FAILED_KEPT_SECONDS if listing.error else KEPT_SECONDS), listing)
    return listing


async def listed(server: Server) -> Listing:
    """Ask the server now. Never raises for what it does."""
    if server.error:
        return Listing(error=server.error)
    # Collected, not caught: the library raises groups of anything.
    (found,) = await asyncio.gather(_list(server), return_exceptions=True)
    return Listing(error=_why(found)) if isinstance(found, BaseException) else found


async def _list(server: Server) -> Listing:
    await asyncio.to_thread(_library)  # loading it is not the server's time
    async with asyncio.timeout(LIST_SECONDS), _connected(server, LIST_SECONDS) as client:
        offered: list[Any] = []
        cursor = None
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            offered += page.tools
            cursor = page.next_cursor
            if cursor is None or len(offered) >= MOST_TOOLS:
                break
    return await asyncio.to_thread(_judged, offered[:MOST_TOOLS])


def _judged(offered: Iterable[Any]) -> Listing:
    specs, refused = [], []
    for one in offered:
        # Servers name older drafts; what matters of those is the same.
        parameters = {key: value for key, value in one.input_schema.items() if key != "$schema"}
        try:
            schemas.check(parameters)
            specs.append(ToolSpec(one.name, clean(one.description or one.name)[:DESCRIPTION_CHARS], parameters))
        except schemas.SchemaRefused as error:
            refused.append((clean(one.name)[:NAME_CHARS], str(error)))
    return Listing(tuple(specs), tuple(refused))


# ---------------------------------------------------------------- calling
async def _called(server: Server, name: str, arguments: Mapping[str, Any]) -> str:
    """Raises ToolFailed."""
    async with _connected(server, server.seconds) as client:
        result = await client.call_tool(name, dict(arguments))
    text = "\n".join(_words(block) for block in result.content)
    if result.is_error:
        raise ToolFailed(text or "The tool failed.")
    return text or "The tool gave nothing."


def _words(block: Any) -> str:
    """Text as it is; anything else in words."""
    if block.type == "text":
        return str(block.text)
    kind = getattr(block, "mime_type", None) or block.type
    return f"[{kind}: only text is passed on.]"


@asynccontextmanager
async def _connected(server: Server, seconds: float) -> AsyncIterator["Client"]:
    """A connection of its own for one errand: nothing is shared between workspaces or runs."""
    connect, streamable = await asyncio.to_thread(_library)
    bearer = {"authorization": f"Bearer {server.secret.reveal()}"} if server.secret else {}
    private = policies.private_addresses_allowed()
    async with (
        egress.client(private_allowed=private, seconds=seconds, headers=bearer) as http,
        connect(streamable(server.url, http_client=http), read_timeout_seconds=seconds, cache=None) as client,
    ):
        yield client


def _library() -> tuple[Any, Any]:
    # Seconds of importing, for those who have such a server.
    from mcp import Client  # noqa: PLC0415
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    return Client, streamable_http_client


def _why(error: BaseException) -> str:
    """In words for people; what the server said itself is not repeated."""
    causes = list(_leaves(error))
    if forbidden := next((one for one in causes if isinstance(one, egress.Forbidden)), None):
        return str(forbidden)
    if any(isinstance(one, TimeoutError | httpx2.TimeoutException) for one in causes):
        return f"It did not answer within {LIST_SECONDS:g} s."
    if any(isinstance(one, OSError | httpx2.TransportError) for one in causes):
        return "It cannot be reached."
    return "It did not answer as an MCP server does."


def _leaves(error: BaseException) -> Iterable[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def forget() -> None:
    """Ask every server again."""
    _listings.clear()
