"""Playing an answer to a client: at a pace, with the failure that was asked for, and a record of how far it came."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from providers.sandbox.connection import Connection
from providers.sandbox.faults import Fault
from providers.sandbox.records import Record
from providers.sandbox.wires import Frame, Telling, encoded

LONGEST_SILENCE = 900.0
OVERSIZED = 32 * 1024 * 1024
_BLOCK = b"x" * 65536
_BROKEN = b'data: {"type":"response.output_text.delta","delta":"bro\n\n'
_STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


class Pace:
    """So many pieces a second, measured from the start so that delays do not add up; 0 is as fast as possible."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.count = 0
        self.began = time.monotonic()

    async def step(self) -> None:
        self.count += 1
        wait = self.began + self.count / self.rate - time.monotonic() if self.rate else 0
        if wait > 0.001:
            await asyncio.sleep(wait)
        elif self.count % 16 == 0:
            await asyncio.sleep(0)


@dataclass(slots=True)
class Stage:
    """Where one answer is played. `headers` go out with it."""

    connection: Connection
    record: Record
    pace: Pace
    headers: dict[str, str]
    released: asyncio.Event

    async def stream(self, telling: Telling, fault: Fault | None) -> None:
        await self.connection.start(200, _STREAM | self.headers)
        pending = fault if fault and fault.pieces != -1 else None
        for frame in telling.frames():
            if pending and self._due(pending, frame):
                strikes, pending = pending, None
                if await self._strike(strikes, telling):
                    return
            await self._play(frame, split=fault is not None and fault.name == "split_unicode")
        await self.connection.finish()

    async def whole(self, telling: Telling, pieces: int, fault: Fault | None) -> None:
        """An answer in one body, after the time its pieces would have taken."""
        self.pace.count = pieces
        await self.pace.step()
        data = encoded(telling.whole()).encode()
        name = fault.name if fault else None
        if name == "garbage":
            data = data[: len(data) // 2]
        length = OVERSIZED if name == "oversized" else len(data)
        head = {"content-type": "application/json", "content-length": str(length)}
        await self.connection.start(200, head | self.headers)
        self.record.deltas_sent = pieces
        if name in {"cut", "truncate"}:
            await self.connection.write(data[: len(data) // 2])
            self.connection.drop()
        elif name == "hang_stream":
            await self.connection.write(data[: len(data) // 2])
            await self.silence()
        elif name == "oversized":
            await self._pad(OVERSIZED)
            await self.connection.finish()
        else:
            await self.connection.finish(data)

    async def silence(self) -> None:
        """Say nothing until the client leaves, the faults are cleared or it is long enough; then drop the socket."""
        await self.wait(LONGEST_SILENCE)
        self.connection.drop()

    async def wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.released.wait()

    def _due(self, fault: Fault, frame: Frame) -> bool:
        enough = fault.pieces is not None and self.record.deltas_sent >= fault.pieces
        return frame.terminal or (frame.delta and enough)

    async def _play(self, frame: Frame, *, split: bool) -> None:
        for part in _halves(frame.data) if split else (frame.data,):
            await self.connection.write(part)
            if split:
                await asyncio.sleep(0.005)  # so that the halves travel apart
        if frame.delta:
            self.record.deltas_sent += 1
            await self.pace.step()

    async def _strike(self, fault: Fault, telling: Telling) -> bool:
        """Do the damage; True when nothing can follow it."""
        match fault.name:
            case "garbage":
                await self.connection.write(_BROKEN)
            case "unknown_event":
                await self.connection.write(telling.novelty())
            case "oversized":
                await self.connection.write(b'data: {"padding":"')
                await self._pad(OVERSIZED)
                await self.connection.write(b'"}\n\n')
            case "cut":
                self.connection.drop()
            case "hang_stream":
                await self.silence()
            case "truncate":
                await self.connection.finish()
            case _:
                await self.connection.finish(telling.failure(fault.name))
        return fault.name not in {"garbage", "unknown_event", "oversized"}

    async def _pad(self, size: int) -> None:
        for _ in range(size // len(_BLOCK)):
            await self.connection.write(_BLOCK)
            await asyncio.sleep(0)


def _halves(data: bytes) -> Iterator[bytes]:
    """The bytes cut in the middle of the first character that has more than one."""
    middle = next((index + 1 for index, byte in enumerate(data) if byte >= 0x80), len(data))
    yield data[:middle]
    if middle < len(data):
        yield data[middle:]
