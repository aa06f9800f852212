"""A connection of the pool, against servers on this machine that speak HTTP/1.1 well and badly, on both event loops."""

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from providers import http
from providers.http1 import MOST_HEAD_BYTES
from providers.peers import PublicTransport
from providers.sockets import MOST_HELD

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


class Server:
    """Answers every request with the next of `answers` (the last one again and again) and closes after it if told to.
    `heard` are the requests, by the connection they came on."""

    def __init__(self, *answers: bytes, closes: bool = False) -> None:
        self.answers = list(answers)
        self.closes = closes
        self.heard: list[list[bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: list[bytes] = []
        self.heard.append(mine)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0)
                mine.append(head + await reader.readexactly(length))
                writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                await writer.drain()
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@asynccontextmanager
async def running(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as place:
        listening = await asyncio.start_server(server.serve, sock=place, ssl=tls)
        try:
            yield f"{'https' if tls else 'http'}://localhost:{place.getsockname()[1]}/"
        finally:
            listening.close()
            await listening.wait_closed()


@asynccontextmanager
async def client(trusted: ssl.SSLContext | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    transport = PublicTransport(trusted or http.ssl_context(), httpx2.Limits(keepalive_expiry=30))
    async with http.make(transport) as made:
        yield made


async def told(*answers: bytes, closes: bool = False) -> httpx2.Response:
    async with running(Server(*answers, closes=closes)) as url, client() as mine:
        return await mine.post(url, content=b"hello")


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        (OK + b"content-length: 5\r\n\r\nhello", False),
        (CHUNKED + b"2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nx-late: 1\r\n\r\n", False),
        (OK + b"\r\nhello", True),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", True),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
            + CHUNKED
            + b"5\r\nhello\r\n0\r\n\r\n",
            False,
        ),
    ],
    ids=["length", "chunked", "until the end", "1.0", "after 100 and 103"],
)
async def test_every_form_of_a_body_is_read_to_its_end(answer: bytes, closes: bool) -> None:
    found = await told(answer, closes=closes)
    assert (found.status_code, found.reason_phrase, found.text) == (200, "OK", "hello")
    assert not {"x-late", "link"} & set(found.headers)


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        (b"", True),
        (OK, True),
        (OK + b"content-length: 50\r\n\r\nhello", True),
        (CHUNKED + b"5\r\nhello\r\n", True),
        (b"SSH-2.0-OpenSSH_9.6\r\n", False),
        (CHUNKED + b"not a size\r\n", False),
        (OK + b"x: " + b"y" * MOST_HEAD_BYTES * 2, False),
        (b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", False),
    ],
    ids=[
        "nothing",
        "half a head",
        "short of its length",
        "cut",
        "no HTTP",
        "no size",
        "endless head",
        "another protocol",
    ],
)
async def test_what_is_no_whole_answer_is_an_error(answer: bytes, closes: bool) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        await told(answer, closes=closes)


async def test_a_connection_is_used_again_unless_the_answer_says_otherwise() -> None:
    server = Server(
        OK + b"content-length: 2\r\n\r\nok",
        OK + b"content-length: 2\r\nconnection: close\r\n\r\nok",
        OK + b"content-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        OK + b"content-length: 2\r\n\r\nok",
    )
    async with running(server) as url, client() as mine:
        assert [(await mine.get(url)).text for _ in range(4)] == ["ok"] * 4
    assert [len(requests) for requests in server.heard] == [2, 1, 1]


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used() -> None:
    server = Server(OK + b"content-length: 2\r\n\r\nok", closes=True)
    async with running(server) as url, client() as mine:
        for _ in range(3):
            assert (await mine.get(url)).text == "ok"
            await asyncio.sleep(0.05)
    assert len(server.heard) == 3


async def test_an_answer_that_is_left_takes_its_connection_with_it() -> None:
    server = Server(CHUNKED + b"5\r\nhello\r\n")
    async with running(server) as url, client() as mine:
        for _ in range(2):
            async with mine.stream("GET", url) as answer:
                async for piece in answer.aiter_bytes():
                    assert piece == b"hello"
                    break
    assert [len(requests) for requests in server.heard] == [1, 1]


async def test_silence_is_a_timeout() -> None:
    async with running(Server(CHUNKED)) as url, client() as mine:
        with pytest.raises(httpx2.ReadTimeout):
            await mine.get(url, timeout=0.1)


async def test_a_reader_that_waits_holds_the_sender_up_and_loses_nothing() -> None:
    size = MOST_HELD * 20
    server = Server(OK + b"content-length: %d\r\n\r\n" % size + b"x" * size)
    async with running(server) as url, client() as mine, mine.stream("GET", url) as answer:
        await asyncio.sleep(0.1)
        assert sum([len(piece) async for piece in answer.aiter_bytes()]) == size


async def test_a_large_request_arrives_whole() -> None:
    server = Server(OK + b"content-length: 0\r\n\r\n")
    body = bytes(range(256)) * 40_000
    async with running(server) as url, client() as mine:
        await mine.post(url, content=body)
    assert server.heard[0][0].endswith(body)


async def test_a_header_that_would_be_two_is_not_sent() -> None:
    server = Server(OK + b"content-length: 0\r\n\r\n")
    async with running(server) as url, client() as mine:
        with pytest.raises(httpx2.LocalProtocolError):
            await mine.get(url, headers={"x-key": "a\r\nx-other: b"})
    assert server.heard in ([], [[]])


async def test_tls_names_its_server(tmp_path: Path) -> None:
    serving, trusting = certified(tmp_path, "localhost")
    _, strangers = certified(tmp_path, "localhost")
    server = Server(OK + b"content-length: 2\r\n\r\nok")
    async with running(server, serving) as url:
        async with client(trusting) as mine:
            assert [(await mine.get(url)).text for _ in range(2)] == ["ok", "ok"]
            with pytest.raises(httpx2.ConnectError):
                await mine.get(url.replace("localhost", "127.0.0.1"))
        async with client(strangers) as mine:
            with pytest.raises(httpx2.ConnectError):
                await mine.get(url)
    assert sum(len(requests) for requests in server.heard) == 2


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate of its own for `name`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(
        who, who, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1)
    )
    signed = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(
        key, hashes.SHA256()
    )
    pem = signed.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(pem + secret)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(folder / "both.pem")
    return serving, ssl.create_default_context(cadata=pem.decode())
