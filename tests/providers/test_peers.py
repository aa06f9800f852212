"""No spelling of an address, no name and no second answer of a name server leads into a private network."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpcore2
import httpx2
import pytest

from providers import http
from providers.contract import GenerateRequest, Message, OpenCredential, TextPart
from providers.errors import ErrorCode, ProviderError
from providers.peers import PublicBackend, PublicTransport
from providers.reach import NotPublic, reach
from providers.registry import runtime
from providers.secrets import Secret

pytestmark = pytest.mark.anyio

PRIVATE = ("127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1")  # noqa: S104


def spellings(address: str) -> Iterator[str]:
    """The ways to write an IPv4 address that some parser or resolver takes."""
    whole = int(ipaddress.IPv4Address(address))
    a, b, c, d = (int(part) for part in address.split("."))
    high, low = whole >> 16, whole & 0xFFFF
    yield from (address, f"{address}.", str(whole), hex(whole), f"0{whole:o}", f"0x{whole:08X}")
    yield from (f"{a}.{b}.{low}", f"{a}.{whole & 0xFFFFFF}", f"0x{a:x}.{b}.{c}.{d}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}")
    yield from (f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}", f"{a}.0{b:o}.0x{c:x}.{d}", f"0000{a:o}.{b}.{c}.{d}")
    yield from (f"[::ffff:{address}]", f"[::ffff:{high:x}:{low:x}]", f"[0:0:0:0:0:ffff:{high:04x}:{low:04x}]")
    yield from (f"[64:ff9b::{address}]", f"[64:ff9b::{high:x}:{low:x}]", f"[2002:{high:04x}:{low:04x}::1]")
    yield f"[::{address}]"


CORPUS = [spelling for address in PRIVATE for spelling in spellings(address)]
CORPUS += ["localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fc00::1]"]
CORPUS += ["[fd00:ec2::254]", "[ff02::1]", "[2001::7f00:1]", "[2001:db8::1]"]


@pytest.fixture(autouse=True)
def confined() -> Iterator[None]:
    reach.confine(["http://gpu.example.com:8080/v1", ""])
    yield
    reach.release()


@pytest.fixture
async def canary() -> AsyncIterator[tuple[int, list[str]]]:
    """A listener on this machine, and who came."""
    came: list[str] = []

    def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(str(writer.get_extra_info("peername")))
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], came
    server.close()


async def test_no_spelling_of_a_private_address_reaches_it(canary: tuple[int, list[str]]) -> None:
    port, came = canary
    assert len(CORPUS) >= 120
    reached = []
    for host in CORPUS:
        try:
            await http.client().get(f"http://{host}:{port}/", timeout=5)
            reached.append(host)
        except (NotPublic, httpx2.ConnectError, httpx2.InvalidURL):
            pass
    assert reached == []
    assert came == []
    await http.close()


async def test_without_the_check_the_listener_would_have_been_reached(canary: tuple[int, list[str]]) -> None:
    port, came = canary
    reach.release()
    with pytest.raises(httpx2.HTTPError):
        await http.client().get(f"http://127.1:{port}/")
    assert len(came) == 1
    await http.close()


class Dialled(httpcore2.AsyncNetworkBackend):
    """Connects to nothing; remembers what it was told to connect to. Those in `dead` refuse."""

    def __init__(self, *dead: str) -> None:
        self.hosts: list[str] = []
        self.dead = dead

    async def connect_tcp(self, host: str, port: int, **options: Any) -> httpcore2.AsyncNetworkStream:
        self.hosts.append(host)
        if host in self.dead:
            raise httpcore2.ConnectError("refused")
        return httpcore2.AsyncMockStream([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"])


async def fetched(url: str, inner: Dialled, *answers: list[str]) -> httpx2.Response:
    """The response to a request, with a name server that gives these answers one after the other."""
    told = iter(answers)

    async def resolve(host: str, port: int) -> list[str]:
        return next(told)

    transport = PublicTransport(http.ssl_context(), httpx2.Limits(), PublicBackend(resolve, inner))
    async with http.make(transport) as client:
        return await client.get(url)


async def test_a_name_is_resolved_once_and_that_address_is_connected_to() -> None:
    inner = Dialled()
    answer = await fetched("http://api.example.com/", inner, ["93.184.216.34"], ["127.0.0.1"])
    assert (answer.text, inner.hosts) == ("ok", ["93.184.216.34"])


@pytest.mark.parametrize(
    "answer", [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:169.254.169.254"], ["fe80::1%eth0"], ["odd"], []]
)
async def test_one_private_answer_refuses_the_name(answer: list[str]) -> None:
    inner = Dialled()
    with pytest.raises(NotPublic):
        await fetched("https://api.example.com/", inner, answer)
    assert inner.hosts == []


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    inner = Dialled("93.184.216.34")
    answer = await fetched("http://api.example.com/", inner, ["93.184.216.34", "93.184.216.35"])
    assert (answer.text, inner.hosts) == ("ok", ["93.184.216.34", "93.184.216.35"])


async def test_the_operators_own_address_may_be_private_at_its_port_only() -> None:
    inner = Dialled()
    assert (await fetched("http://GPU.example.com:8080/v1", inner, ["10.0.0.9"])).text == "ok"
    assert inner.hosts == ["10.0.0.9"]
    with pytest.raises(NotPublic):
        await fetched("http://gpu.example.com:9090/v1", inner, ["10.0.0.1"])


@pytest.mark.parametrize("provider_id", ["openai", "anthropic", "gemini", "mistral", "openai_compatible"])
async def test_every_sdk_reports_it_as_an_address_that_is_not_allowed(
    provider_id: str, canary: tuple[int, list[str]]
) -> None:
    port, came = canary
    credential = OpenCredential(provider_id, "test", Secret("sk-0123456789"), base_url=f"http://localhost:{port}")
    request = GenerateRequest("model", (Message("user", (TextPart(text="hi"),)),))
    with pytest.raises(ProviderError) as caught:
        await runtime(provider_id).generate(credential, request)
    assert (caught.value.code, caught.value.detail) == (ErrorCode.INVALID_REQUEST, "private_address")
    check = await runtime(provider_id).validate_credential(credential)
    assert check.error is not None
    assert check.error.detail == "private_address"
    assert came == []
    await http.close()
