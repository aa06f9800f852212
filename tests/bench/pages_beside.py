"""What pages and the catalog notice of one provider that hangs under 50 answers: nothing, in milliseconds.

`uv run python -m tests.bench pages_beside` starts a real server on SQLite, asks for its catalog, its status and its
list of conversations in turn, quiet and while 50 answers wait for a provider that says nothing, and prints the times.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx2

from tests.faults.client import Client
from tests.faults.servers import Installation, Sandbox, Server

HUNG = 50
ROUNDS = 3
ASKS = 40
PATHS = ("/api/v1/models/", "/api/v1/health/", "/api/v1/conversations/", "/healthz")


def times(server: Server, client: Client, path: str) -> list[float]:
    found = []
    for _ in range(ASKS):
        begun = time.perf_counter()
        answer = client.http.get(server.url + path)
        found.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, answer.text
    return found


def hang(sandbox: Sandbox, server: Server, client: Client) -> list[str]:
    order = {"provider": "openai", "fault": "hang", "count": 0}
    httpx2.delete(f"{sandbox.url}/_sandbox/requests").raise_for_status()
    httpx2.post(f"{sandbox.url}/_sandbox/faults", json=order).raise_for_status()
    runs = [client.send(server.url, input="Hello", model="openai/gpt-sandbox").json()["run"] for _ in range(HUNG)]
    end = time.monotonic() + 20
    while len(sandbox.requests()) < HUNG and time.monotonic() < end:
        time.sleep(0.1)
    print(f"{len(sandbox.requests())} answers hang")
    return runs


def release(sandbox: Sandbox, server: Server, client: Client, runs: list[str]) -> None:
    for each in runs:
        client.stop(server.url, each)
    httpx2.delete(f"{sandbox.url}/_sandbox/faults").raise_for_status()


def measured(sandbox: Sandbox, server: Server, client: Client) -> None:
    quiet: dict[str, list[float]] = {path: [] for path in PATHS}
    beside: dict[str, list[float]] = {path: [] for path in PATHS}
    for path in PATHS:
        times(server, client, path)
    for _ in range(ROUNDS):
        for path in PATHS:
            quiet[path] += times(server, client, path)
        runs = hang(sandbox, server, client)
        for path in PATHS:
            beside[path] += times(server, client, path)
        release(sandbox, server, client, runs)
    print(f"{'ms':26}{'p50 alone':>12}{f'{HUNG} hang':>10}{'p95 alone':>12}{f'{HUNG} hang':>10}")
    for path in PATHS:
        figures = [
            (statistics.median(each), statistics.quantiles(each, n=20)[18]) for each in (quiet[path], beside[path])
        ]
        (half, late), (half_beside, late_beside) = figures
        print(f"{path:26}{half:12.1f}{half_beside:10.1f}{late:12.1f}{late_beside:10.1f}")


def main(arguments: list[str] | None = None) -> None:
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as home:
        installation = Installation(Path(home), sandbox.url, os.environ.get("DATABASE_URL", ""))
        with Client(installation.prepare()) as client, Server(installation) as server:
            measured(sandbox, server, client)
