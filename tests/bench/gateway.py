"""What a token and a request cost at the OpenAI-compatible door.

`uv run python -m tests.bench gateway` starts a real server (uvicorn, SQLite or `--database URL`) before an upstream
that costs nothing to speak of, and prints the server's CPU milliseconds: per 1,000 tokens of 50 streams at 20 tokens a
second, per 1,000 tokens flat out, each beside a raw client on the same upstream, and per request that does not stream.
`--wire responses` asks the other door, `--model` another family."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from tests.bench import upstream
from tests.bench.page_path import cpu_seconds
from tests.faults.servers import Installation, Sandbox, Server

STREAMS, TOKENS, RATE = 50, 600, 20
FLAT_STREAMS, FLAT_TOKENS = 8, 5_000
REQUESTS, SHORT = 200, 16
PATHS = {"chat": "chat/completions", "responses": "responses"}


@dataclass(frozen=True, slots=True)
class Wire:
    """Where a question goes, with what, and how its text is called there."""

    address: str
    headers: dict[str, str]
    model: str

    def body(self, told: str, *, stream: bool = True) -> dict[str, Any]:
        asked = (
            {"input": told} if self.address.endswith("responses") else {"messages": [{"role": "user", "content": told}]}
        )
        return {"model": self.model, "stream": stream, **asked}


async def read(http: httpx2.AsyncClient, wire: Wire, told: str) -> None:
    """One stream, read and thrown away."""
    tail = b""
    async with http.stream("POST", wire.address, json=wire.body(told), headers=wire.headers) as response:
        assert response.status_code == 200, await response.aread()
        async for chunk in response.aiter_bytes():
            tail = (tail + chunk)[-400:]
    assert b"[DONE]" in tail or b"response.completed" in tail, tail


async def whole(http: httpx2.AsyncClient, wire: Wire, told: str) -> None:
    answer = await http.post(wire.address, json=wire.body(told, stream=False), headers=wire.headers)
    assert answer.status_code == 200, answer.text


async def together(times: int, work: Callable[[httpx2.AsyncClient], Awaitable[None]]) -> None:
    async with AsyncExitStack() as held:
        # A client each: one pool for all would be what is measured.
        made = [await held.enter_async_context(httpx2.AsyncClient(timeout=120)) for _ in range(times)]
        await asyncio.gather(*(work(http) for http in made))


async def one_by_one(times: int, work: Callable[[httpx2.AsyncClient], Awaitable[None]]) -> None:
    async with httpx2.AsyncClient(timeout=120) as http:
        for _ in range(times):
            await work(http)


def spent(clock: Callable[[], float], doing: Awaitable[None], units: float) -> float:
    """CPU milliseconds a unit while `doing`, which is over when the server has come to rest."""

    async def run() -> float:
        before = clock()
        await doing
        await asyncio.sleep(0.3)
        return clock() - before

    return asyncio.run(run()) * 1000 / units


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", default="")
    parser.add_argument("--wire", choices=PATHS, default="chat")
    parser.add_argument("--model", default="openai/gpt-sandbox")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home, upstream.running() as vendor:
        with Sandbox() as sandbox:
            token = Installation(Path(home), sandbox.url, options.database).prepare()
        with Server(Installation(Path(home), vendor, options.database)) as server:
            key = {"Authorization": f"Bearer {token}"}
            door = Wire(f"{server.url}/v1/{PATHS[options.wire]}", key, options.model)
            raw = Wire(f"{vendor}/openai/v1/{PATHS[options.wire]}", {}, "any")
            report(server, door, raw)


def settle(clock: Callable[[], float]) -> None:
    """Wait for what a server loads beside its first requests."""
    before = -1.0
    while clock() - before > 0.05:
        before = clock()
        time.sleep(3)


def report(server: Server, door: Wire, raw: Wire) -> None:
    mine = partial(cpu_seconds, server.process.pid)
    asyncio.run(together(4, partial(read, wire=door, told="bench-50-0")))  # connections
    settle(mine)
    for streams, tokens, rate in ((STREAMS, TOKENS, RATE), (FLAT_STREAMS, FLAT_TOKENS, 0)):
        told, thousands = f"bench-{tokens}-{rate}", streams * tokens / 1000
        cost = spent(mine, together(streams, partial(read, wire=door, told=told)), thousands)
        bare = spent(time.process_time, together(streams, partial(read, wire=raw, told=told)), thousands)
        pace = f"x {rate} tokens/s" if rate else "flat out"
        print(f"{streams} streams {pace}: {cost:.0f} ms CPU per 1,000 tokens; raw {bare:.0f} ({cost / bare:.1f} x)")
    cost = spent(mine, one_by_one(REQUESTS, partial(whole, wire=door, told=f"bench-{SHORT}-0")), REQUESTS)
    print(f"a request that does not stream: {cost:.1f} ms CPU")


if __name__ == "__main__":
    main()
