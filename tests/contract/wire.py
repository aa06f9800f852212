"""A scripted wire under the shared HTTP client: it plays what a vendor would send, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

HANG = object()
# Three bytes at a time cuts every JSON escape, every UTF-8 character and every line end somewhere.
AWKWARD = 3


@dataclass(frozen=True, slots=True)
class Script:
    """One response. A step is bytes, an exception to raise, or `HANG`; `silent` never even sends headers."""

    steps: Sequence[object] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    silent: bool = False


def plays(body: bytes, *after: object, status: int = 200, **headers: str) -> Script:
    """`body` in awkward chunks, then what comes `after`."""
    chunks = [body[start : start + AWKWARD] for start in range(0, len(body), AWKWARD)]
    return Script((*chunks, *after), status, {name.replace("_", "-"): value for name, value in headers.items()})


class _Body(httpx2.AsyncByteStream):
    def __init__(self, steps: Sequence[object], wire: "Wire") -> None:
        self._steps = steps
        self._wire = wire

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
            elif isinstance(step, Exception):
                raise step
            else:
                await asyncio.Event().wait()

    async def aclose(self) -> None:
        self._wire.open -= 1


class Wire(httpx2.AsyncBaseTransport):
    """Plays its scripts in order, the last one for ever; an exception in a script's place is a failed connection."""

    def __init__(self, *scripts: Script | Exception) -> None:
        self._scripts = list(scripts)
        self.requests: list[httpx2.Request] = []
        self.open = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.requests.append(request)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        if isinstance(script, Exception):
            raise script
        if script.silent:
            await asyncio.Event().wait()
        self.open += 1
        return httpx2.Response(script.status, headers=dict(script.headers), stream=_Body(script.steps, self))

    @property
    def sent(self) -> dict[str, Any]:
        """The JSON of the last request."""
        value: dict[str, Any] = json.loads(self.requests[-1].content)
        return value

    @property
    def head(self) -> httpx2.Headers:
        return self.requests[-1].headers
