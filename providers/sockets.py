"""Bytes over TCP and TLS for the shared pool, on the event loop's own transports: no task and no scope for a read."""

import asyncio
import math
import ssl
from collections.abc import Iterable
from typing import Any, override

import httpcore2
from httpcore2 import AsyncNetworkBackend, AsyncNetworkStream

# What may wait here unread before the peer is held up.
MOST_HELD = 256 * 1024


class Wire(asyncio.Protocol):
    """What has come in and was not read yet; who waits for more, or for room to write."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._held = bytearray()
        self._expected: asyncio.Future[None] | None = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._held_up = False
        self.over = False
        self.error: Exception | None = None
        self.transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment] # a stream protocol has a stream's transport

    @override
    def data_received(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > MOST_HELD and not self._held_up:
            self._held_up = True
            self.transport.pause_reading()
        self._arrived()

    @override
    def eof_received(self) -> None:
        self.over = True
        self._arrived()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.over, self.error = True, exc
        self._stop_timer()
        self._room.set()
        self._arrived()

    @override
    def pause_writing(self) -> None:
        self._room.clear()

    @override
    def resume_writing(self) -> None:
        self._room.set()

    @property
    def readable(self) -> bool:
        """Whether a read would not wait: there is something, or nothing will come."""
        return bool(self._held) or self.over

    def _arrived(self) -> None:
        if self._expected is not None and not self._expected.done():
            self._expected.set_result(None)

    def _look(self) -> None:
        """One timer for many waits: most are over long before their time, and a timer costs more than a wait."""
        self._timer = None
        if self._expected is None or self._expected.done():
            return
        if self._loop.time() >= self._until:
            self._expected.set_exception(httpcore2.ReadTimeout())
        elif self._until < math.inf:
            self._timer = self._loop.call_at(self._until, self._look)

    async def expect(self, seconds: float | None) -> None:
        """Until it is readable. Raises ReadTimeout."""
        self._expected = self._loop.create_future()
        self._until = math.inf if seconds is None else self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._until:
            self._stop_timer()
            self._timer = None if seconds is None else self._loop.call_at(self._until, self._look)
        try:
            await self._expected
        finally:
            self._expected = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def take(self, most: int) -> bytes:
        data = bytes(self._held[:most])
        del self._held[:most]
        if self._held_up and len(self._held) <= MOST_HELD // 2:
            self._held_up = False
            self.transport.resume_reading()
        return data

    async def room(self, seconds: float | None) -> None:
        """Until the peer has taken enough of what was written. Raises WriteTimeout."""
        if not self._room.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._room.wait()
            except TimeoutError as error:
                raise httpcore2.WriteTimeout(str(error)) from error


class Stream(AsyncNetworkStream):
    """One connection. Raises httpcore2's errors."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @override
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Whatever has come, waiting for the first of it; empty at the end."""
        if not self._wire.readable:
            await self._wire.expect(timeout)
        data = self._wire.take(max_bytes)
        if not data and self._wire.error is not None:
            raise httpcore2.ReadError(str(self._wire.error)) from self._wire.error
        return data

    @override
    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._wire.over:
            raise httpcore2.WriteError(str(self._wire.error or "the connection is closed"))
        self._wire.transport.write(buffer)
        await self._wire.room(timeout)

    @override
    async def aclose(self) -> None:
        """At once: whoever stops an answer does not wait for a farewell."""
        self._wire.transport.abort()

    @override
    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncNetworkStream:
        loop, wire = asyncio.get_running_loop(), self._wire
        try:
            async with asyncio.timeout(timeout):
                secured = await loop.start_tls(
                    wire.transport, wire, ssl_context, server_hostname=server_hostname, ssl_handshake_timeout=timeout
                )
        except TimeoutError as error:
            wire.transport.abort()
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:  # ssl.SSLError is one
            wire.transport.abort()
            raise httpcore2.ConnectError(str(error)) from error
        if secured is None:
            raise httpcore2.ConnectError("the connection ended")
        wire.transport = secured
        return self

    @override
    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._wire.readable
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._wire.transport.get_extra_info(names.get(info, info))


class Backend(AsyncNetworkBackend):
    """Connects to one address."""

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                _, wire = await asyncio.get_running_loop().create_connection(Wire, host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        return Stream(wire)

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
