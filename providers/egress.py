"""Calls to an address that somebody typed in: the host is looked up once, judged, and that very address is connected
to. No redirect, no proxy, no cookie, no more bytes than allowed. No Django."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from providers import http, pasted

MOST_BYTES = 8 * 1024 * 1024


class Forbidden(httpx2.TransportError):
    """The request was not made, or its answer not read to the end: the rules of this module say no."""


def client(*, private_allowed: bool, seconds: float, headers: Mapping[str, str] | None = None) -> httpx2.AsyncClient:
    """A client of its own, to be closed by the caller. `seconds` bounds connecting and each silence."""
    inner = httpx2.AsyncHTTPTransport(verify=http.ssl_context())
    made = http.make(_Judged(inner, private_allowed=private_allowed))
    made.timeout = httpx2.Timeout(seconds)
    # What is packed may unpack to any size.
    made.headers.update({**(headers or {}), "accept-encoding": "identity"})
    return made


class _Judged(httpx2.AsyncBaseTransport):
    def __init__(self, inner: httpx2.AsyncHTTPTransport, *, private_allowed: bool) -> None:
        self._inner = inner
        self._private_allowed = private_allowed

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        address = await _address(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        if pasted.link_local(address) or not (self._private_allowed or pasted.public(address)):
            raise Forbidden("The address is not a public one.")
        sent = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,  # with the Host of the name
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        response = await self._inner.handle_async_request(sent)
        if refused := _refused(response):
            await response.aclose()
            raise Forbidden(refused)
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - what an asynchronous transport gives
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Bounded(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for chunk in self._inner:
            left -= len(chunk)
            if left < 0:
                raise Forbidden("The answer is too long.")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def _refused(response: httpx2.Response) -> str:
    if response.is_redirect:
        return "The server sends its visitors elsewhere."
    packed = response.headers.get("content-encoding", "identity") != "identity"
    return "The answer is packed, which nobody asked for." if packed else ""


async def _address(host: str, port: int) -> str:
    """The first address of a host. Raises Forbidden when it has none."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        found: list[Any] = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Forbidden("The host has no address.") from None
    return str(found[0][4][0])
