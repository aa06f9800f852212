"""Opens the connections of the shared pool: a name is resolved once, judged, and the very address is connected to."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, override

import httpcore2
import httpx2
from httpcore2 import AsyncConnectionInterface, AsyncNetworkBackend, AsyncNetworkStream, Origin

from providers.http1 import Connection
from providers.reach import NotPublic, is_public, literal, reach
from providers.sockets import Backend

# Of one name; each gets its share of the time there is to connect.
MOST_ADDRESSES = 4

type Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, those of IPv4 first: many a container has no route for the others."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return list(dict.fromkeys(str(entry[4][0]) for entry in ordered))


class PublicBackend(AsyncNetworkBackend):
    """Connects to what `reach` allows. The check is on the address that is then used, so no second answer of a name
    server, no other spelling and no wrapping of an address gets past it."""

    def __init__(self, resolve: Resolve = resolved, inner: AsyncNetworkBackend | None = None) -> None:
        self._resolve = resolve
        self._inner = inner or Backend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Raises NotPublic before anything is sent, httpcore2's errors for the rest."""
        options = {"local_address": local_address, "socket_options": socket_options}
        addresses = await self._addresses(host, port, timeout)
        share = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, timeout=share, **options)  # type: ignore[arg-type]
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout=share, **options)  # type: ignore[arg-type]

    async def _addresses(self, host: str, port: int, seconds: float | None) -> list[str]:
        try:
            async with asyncio.timeout(seconds):
                addresses = (await self._resolve(host, port))[:MOST_ADDRESSES]
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        judged = [literal(address) for address in addresses]
        if reach.anywhere(host, port) and addresses:
            return addresses
        if not judged or any(address is None or not is_public(address) for address in judged):
            raise NotPublic("the address is not public")
        return addresses

    @override
    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class Pool(httpcore2.AsyncConnectionPool):
    """httpcore2's pool over connections that `make` makes."""

    def __init__(self, make: Callable[[Origin], AsyncConnectionInterface], limits: httpx2.Limits) -> None:
        super().__init__(
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
        )
        self._make = make

    @override
    def create_connection(self, origin: Origin) -> AsyncConnectionInterface:
        return self._make(origin)


class PublicTransport(httpx2.AsyncHTTPTransport):
    """httpx2's transport over a pool that opens its connections through a `PublicBackend`."""

    def __init__(
        self, ssl_context: ssl.SSLContext, limits: httpx2.Limits, backend: AsyncNetworkBackend | None = None
    ) -> None:
        super().__init__(verify=ssl_context, trust_env=False)
        opening = backend or PublicBackend()
        self._pool = Pool(lambda origin: Connection(origin, opening, ssl_context, limits.keepalive_expiry), limits)
