"""Calls to an address that somebody typed in, against names whose answer changes while they are used."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from providers import egress

pytestmark = pytest.mark.anyio

PUBLIC, LOOPBACK, METADATA = "93.184.215.14", "127.0.0.1", "169.254.169.254"
type Names = Callable[..., list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """`names("1.1.1.1", "127.0.0.1")`: what rebind.test resolves to, one answer a look-up, the last one for ever. Gives
    the look-ups as they are made."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def play(*answers: str) -> list[str]:
        left = list(answers)

        def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
            if host != "rebind.test":
                return real(host, port, *args, **more)
            asked.append(host)
            address = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return play


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[httpx2.Request]:
    """What would go out: the transport below the judge, which notes and answers."""
    seen: list[httpx2.Request] = []

    async def send(self: Any, request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, text="hello")

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", send)
    return seen


async def test_the_address_that_was_judged_is_the_one_connected_to(
    names: Names, connected: list[httpx2.Request]
) -> None:
    """A name that answers otherwise the second time gets no second time."""
    asked = names(PUBLIC, LOOPBACK)
    async with egress.client(private_allowed=False, seconds=2) as client:
        await client.get("https://rebind.test/mcp")
    (sent,) = connected
    assert (asked, sent.url.host) == (["rebind.test"], PUBLIC)
    assert (sent.headers["host"], sent.extensions["sni_hostname"]) == ("rebind.test", "rebind.test")


@pytest.mark.parametrize("address", [LOOPBACK, "10.0.0.7", METADATA, "100.64.0.1", "::1", "::ffff:10.0.0.7"])
async def test_each_request_of_a_connection_is_judged_anew(
    names: Names, connected: list[httpx2.Request], address: str
) -> None:
    names(PUBLIC, address)
    async with egress.client(private_allowed=False, seconds=2) as client:
        await client.get("https://rebind.test/mcp")
        with pytest.raises(egress.Forbidden, match="not a public one"):
            await client.get("https://rebind.test/mcp")
    assert [sent.url.host for sent in connected] == [PUBLIC]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server((LOOPBACK, 0)) as server:
        server.settimeout(0.3)
        yield server


async def test_a_private_address_hears_nothing_not_even_a_connection(names: Names, listening: socket.socket) -> None:
    names(LOOPBACK)
    async with egress.client(private_allowed=False, seconds=2) as client:
        with pytest.raises(egress.Forbidden):
            await client.get(f"http://rebind.test:{listening.getsockname()[1]}/")
    with pytest.raises(TimeoutError):
        listening.accept()
