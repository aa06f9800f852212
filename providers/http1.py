"""One HTTP/1.1 connection of the shared pool: h11 writes the request, httptools reads the answer, which is where the
time goes."""

import contextlib
import enum
import ssl
import time
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, cast, override

import h11
import httpcore2
import httptools
from httpcore2 import AsyncConnectionInterface, AsyncNetworkBackend, AsyncNetworkStream, Origin, Request, Response

READ_BYTES = 64 * 1024
MOST_HEAD_BYTES = 100 * 1024


class State(enum.Enum):
    NEW = "new"
    ACTIVE = "active"
    IDLE = "idle"
    CLOSED = "closed"


class Answer:
    """What httptools has found in the bytes of one answer so far; its methods are the parser's callbacks."""

    def __init__(self) -> None:
        self.reason = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.status = 0
        self.complete = False
        self.kept = False
        self._body: list[bytes] = []
        self._read = 0
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Raises RemoteProtocolError for what is no answer, and for an end before its end."""
        if not data:
            self._end()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.complete:
                raise httpcore2.RemoteProtocolError(str(error)) from error
            self.kept = False
        self._read += len(data)
        if not self.status and self._read > MOST_HEAD_BYTES:
            raise httpcore2.RemoteProtocolError("the head of the answer is too large")

    def _end(self) -> None:
        if not self.status:
            raise httpcore2.RemoteProtocolError("Server disconnected without sending a response.")
        if any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in self.headers):
            raise httpcore2.RemoteProtocolError("the connection ended before the answer was complete")
        self.complete = True

    @property
    def version(self) -> bytes:
        return b"HTTP/" + self._parser.get_http_version().encode()

    def body(self) -> bytes:
        """What has come of it since the last time."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body.clear()
        return body

    # ------------------------------------------------------------ callbacks
    def on_message_begin(self) -> None:
        # Behind a complete answer nothing may come before the next request.
        self.kept = False

    def on_status(self, reason: bytes) -> None:
        if not self.complete:
            self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.status:  # trailers say nothing we need
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 and not self.complete:
            self.status = status
        elif not self.complete:
            self.reason, self.headers = b"", []

    def on_body(self, body: bytes) -> None:
        if not self.complete:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self.status and not self.complete:
            self.complete = True
            self.kept = self._parser.should_keep_alive()


class Connection(AsyncConnectionInterface):
    """Opens itself for its first request; takes one at a time."""

    def __init__(
        self, origin: Origin, backend: AsyncNetworkBackend, ssl_context: ssl.SSLContext, keepalive: float | None
    ) -> None:
        self._origin, self._backend, self._ssl_context, self._keepalive = origin, backend, ssl_context, keepalive
        self._state = State.NEW
        self._idle_until: float | None = None
        self._stream: AsyncNetworkStream | None = None
        self._answer = Answer()

    @override
    async def handle_async_request(self, request: Request) -> Response:
        if self._state not in (State.NEW, State.IDLE):
            raise httpcore2.ConnectionNotAvailable
        self._state = State.ACTIVE
        self._answer = answer = Answer()
        timeouts = request.extensions.get("timeout", {})
        try:
            if self._stream is None:
                self._stream = await self._connected(timeouts.get("connect"))
            await self._send(request, timeouts.get("write"))
            while not answer.status:
                answer.feed(await self._stream.read(READ_BYTES, timeouts.get("read")))
        finally:
            if not answer.status:
                await self.aclose()
        about = {"http_version": answer.version, "reason_phrase": answer.reason, "network_stream": self._stream}
        return Response(answer.status, headers=answer.headers, content=Body(self, timeouts), extensions=about)

    async def _connected(self, seconds: float | None) -> AsyncNetworkStream:
        host = self._origin.host.decode("ascii")
        stream = await self._backend.connect_tcp(host, self._origin.port, timeout=seconds)
        if self._origin.scheme == b"https":
            self._ssl_context.set_alpn_protocols(["http/1.1"])
            stream = await stream.start_tls(self._ssl_context, server_hostname=host, timeout=seconds)
        return stream

    async def _send(self, request: Request, seconds: float | None) -> None:
        assert self._stream is not None  # noqa: S101 - connected
        said = await _written(request)
        # A server may refuse a request that it has not read to its end, and says so in its answer.
        with contextlib.suppress(httpcore2.WriteError):
            await self._stream.write(said, seconds)

    async def body(self, seconds: float | None) -> AsyncIterator[bytes]:
        """The body's bytes as they come."""
        answer, stream = self._answer, self._stream
        assert stream is not None  # noqa: S101 - connected
        while True:
            if piece := answer.body():
                yield piece
            if answer.complete:
                return
            answer.feed(await stream.read(READ_BYTES, seconds))

    async def finish(self) -> None:
        """The answer is no longer wanted: what was read to its end may be followed by another."""
        if self._state is State.ACTIVE and self._answer.complete and self._answer.kept:
            self._state = State.IDLE
            self._idle_until = None if self._keepalive is None else time.monotonic() + self._keepalive
        elif self._state is State.ACTIVE:
            await self.aclose()

    @override
    async def aclose(self) -> None:
        self._state = State.CLOSED
        if self._stream is not None:
            await self._stream.aclose()

    # ------------------------------------------------------------ what the pool asks
    @override
    def info(self) -> str:
        return f"{self._origin!s}, {self._state.value}"

    @override
    def can_handle_request(self, origin: Origin) -> bool:
        return origin == self._origin

    @override
    def is_connected(self) -> bool:
        return self._stream is not None and not self.is_closed()

    @override
    def is_available(self) -> bool:
        return self._state is State.IDLE

    @override
    def has_expired(self) -> bool:
        late = self._idle_until is not None and time.monotonic() > self._idle_until
        idle = self._state is State.IDLE and self._stream is not None
        return idle and (late or bool(self._stream and self._stream.get_extra_info("is_readable")))

    @override
    def is_idle(self) -> bool:
        return self._state is State.IDLE

    @override
    def is_closed(self) -> bool:
        return self._state is State.CLOSED


async def _written(request: Request) -> bytes:
    """The whole request. Raises LocalProtocolError for what HTTP cannot carry."""
    writing = h11.Connection(h11.CLIENT)
    pieces = [piece async for piece in cast(AsyncIterable[bytes], request.stream)]
    try:
        head = h11.Request(method=request.method, target=request.url.target, headers=request.headers)
        events: list[h11.Event] = [head, *(h11.Data(data=piece) for piece in pieces), h11.EndOfMessage()]
        return b"".join(writing.send(event) or b"" for event in events)
    except h11.LocalProtocolError as error:
        raise httpcore2.LocalProtocolError(str(error)) from error


class Body:
    """The rest of an answer, as the pool hands it on."""

    def __init__(self, connection: Connection, timeouts: dict[str, Any]) -> None:
        self._connection = connection
        self._seconds = timeouts.get("read")

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.body(self._seconds)

    async def aclose(self) -> None:
        await self._connection.finish()
