"""What a token costs on the page path: journal, WebSocket and rendering, every event durable.

`uv run python -m tests.bench page_path` starts a real server on SQLite (or on `--database URL`), opens 20 sockets that
follow 20 answers at 20 tokens a second, and prints the server's CPU milliseconds per 1,000 tokens beside a raw client
that reads the same upstream."""

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

import httpx2
from websockets.asyncio.client import connect

from tests.faults.client import Client
from tests.faults.servers import Installation, Sandbox, Server

STREAMS = 20
TOKENS = 200
RATE = 20
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


async def watch(url: str, token: str, stream_id: str) -> list[float]:
    """Follow one stream as a page does; the arrival time of every frame that carries text."""
    arrived = []
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(f"{url.replace('http', 'ws')}/ws/stream/", additional_headers=headers) as socket:
        await socket.send(json.dumps({"t": "follow", "stream": stream_id, "after": 0}))
        async for frame in socket:
            kind = json.loads(frame)["t"]
            if kind in {"s", "x", "c"}:
                arrived.append(time.perf_counter())
            if kind in {"end", "er"}:
                return arrived
    return arrived


def ask(client: Client, url: str) -> str:
    answer = client.send(url, input=f"Count /slow {RATE} /tokens {TOKENS}", model="openai/gpt-sandbox")
    assert answer.status_code == 202, answer.text
    stream_id: str = answer.json()["stream_id"]
    return stream_id


async def page_path(server: Server, client: Client) -> float:
    streams = [ask(client, server.url) for _ in range(STREAMS)]
    before = cpu_seconds(server.process.pid)
    frames = await asyncio.gather(*(watch(server.url, client.token, each) for each in streams))
    spent = cpu_seconds(server.process.pid) - before
    assert all(frames), "every socket saw text"
    return spent * 1000 / (STREAMS * TOKENS / 1000)


async def raw_client(sandbox: Sandbox) -> float:
    """The same upstream, read and thrown away."""
    body = {"model": "gpt-sandbox", "stream": True, "input": f"Count /slow {RATE} /tokens {TOKENS}"}
    headers = {"Authorization": "Bearer sandbox-key"}

    async def read(http: httpx2.AsyncClient) -> None:
        address = f"{sandbox.url}/openai/v1/responses"
        async with http.stream("POST", address, json=body, headers=headers) as response:
            async for _ in response.aiter_bytes():
                pass

    before = time.process_time()
    async with httpx2.AsyncClient(timeout=60) as http:
        await asyncio.gather(*(read(http) for _ in range(STREAMS)))
    return (time.process_time() - before) * 1000 / (STREAMS * TOKENS / 1000)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", default="")
    options = parser.parse_args(arguments)
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as home:
        installation = Installation(Path(home), sandbox.url, options.database)
        with Client(installation.prepare()) as client:
            server = Server(installation).start()
            asyncio.run(watch(server.url, client.token, ask(client, server.url)))  # imports and connections
            cost = asyncio.run(page_path(server, client))
            raw = asyncio.run(raw_client(sandbox))
            server.stop()
    print(f"page path, {STREAMS} streams x {RATE} tokens/s: {cost:.0f} ms CPU per 1,000 tokens")
    print(f"raw client on the same upstream: {raw:.0f} ms ({cost / raw:.1f} x)")
