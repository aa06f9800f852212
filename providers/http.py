"""The one HTTP pool of an event loop, which every SDK is handed; nothing here knows a vendor."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from weakref import WeakKeyDictionary

import httpx2

from providers.contract import Deadlines
from providers.peers import PublicTransport

MAX_CONNECTIONS = 1000
MAX_IDLE_CONNECTIONS = 100
IDLE_SECONDS = 30.0
WRITE_SECONDS = 30.0
POOL_SECONDS = 5.0
# The pump decides when silence is too long; the socket's own limit only backs it up.
BACKSTOP_SECONDS = 5.0

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()
_lent: ContextVar[httpx2.AsyncClient | None] = ContextVar("lent_http_client", default=None)


def client() -> httpx2.AsyncClient:
    """The running loop's shared client. Whoever gets it never closes it; `close()` does, once, at shutdown."""
    if lent := _lent.get():
        return lent
    loop = asyncio.get_running_loop()
    shared = _clients.get(loop)
    if shared is None or shared.is_closed:
        shared = _clients[loop] = make(PublicTransport(ssl_context(), _limits()))
    return shared


def make(transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
    """A client with the house's rules over any transport.

    No proxy from the environment, no redirect (a key header would travel with it), no cookie (one tenant's would be
    sent with another's request).
    """
    return httpx2.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        timeout=timeout(Deadlines()),
    )


@contextmanager
def use(lent: httpx2.AsyncClient) -> Iterator[httpx2.AsyncClient]:
    """Within this context, and the tasks started in it, `client()` is `lent`."""
    token = _lent.set(lent)
    try:
        yield lent
    finally:
        _lent.reset(token)


async def close() -> None:
    """Close the running loop's pool; the next `client()` makes a new one."""
    if shared := _clients.pop(asyncio.get_running_loop(), None):
        await shared.aclose()


def timeout(deadlines: Deadlines) -> httpx2.Timeout:
    silence = max(deadlines.first_event, deadlines.idle) + BACKSTOP_SECONDS
    return httpx2.Timeout(connect=deadlines.connect, read=silence, write=WRITE_SECONDS, pool=POOL_SECONDS)


@cache
def ssl_context() -> ssl.SSLContext:
    """One for the process: building it costs more than a hundred requests. The operator's SSL_CERT_FILE counts."""
    return httpx2.create_ssl_context()


@cache
def placeholder() -> httpx2.Client:
    """A synchronous client for SDKs that insist on having one; it never sends anything."""
    return httpx2.Client(verify=ssl_context(), trust_env=False, follow_redirects=False)


def transport() -> httpx2.AsyncHTTPTransport:
    """A pool that asks nobody where it may connect, with the house's bounds: for servers of our own on this machine."""
    return httpx2.AsyncHTTPTransport(verify=ssl_context(), limits=_limits())


def _limits() -> httpx2.Limits:
    return httpx2.Limits(
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=MAX_IDLE_CONNECTIONS,
        keepalive_expiry=IDLE_SECONDS,
    )
