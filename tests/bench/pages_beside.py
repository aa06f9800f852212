"""What a server's doors notice of one provider that hangs under 50 answers: the catalog, health, a person, life.

`uv run python -m tests.bench pages_beside` starts a real server on SQLite and asks in rounds: quiet, while 50 answers
wait for a provider that says nothing, quiet again. It prints the times; those of both quiet rounds show the noise.
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
PATHS = ("/api/v1/models/", "/api/v1/health/", "/api/v1/me/", "/healthz")


type Times = dict[str, list[float]]


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
    runs = [client.send(server.url, input="Hello", model="openai/gpt-sandbox").json()["id"] for _ in range(HUNG)]
    end = time.monotonic() + 20
    while len(sandbox.requests()) < HUNG and time.monotonic() < end:
        time.sleep(0.1)
    print(f"{len(sandbox.requests())} answers hang")
    return runs


def release(sandbox: Sandbox, server: Server, client: Client, runs: list[str]) -> None:
    for each in runs:
        client.stop(server.url, each)
    httpx2.delete(f"{sandbox.url}/_sandbox/faults").raise_for_status()


def ask_all(server: Server, client: Client, into: Times) -> None:
    for path in PATHS:
        into[path] += times(server, client, path)


def measured(sandbox: Sandbox, server: Server, client: Client) -> None:
    columns: dict[str, Times] = {name: {path: [] for path in PATHS} for name in ("alone", "50 hang", "alone again")}
    quiet, beside, again = columns.values()
    ask_all(server, client, {path: [] for path in PATHS})
    for _ in range(ROUNDS):
        ask_all(server, client, quiet)
        runs = hang(sandbox, server, client)
        ask_all(server, client, beside)
        release(sandbox, server, client, runs)
        ask_all(server, client, again)
    print(f"{'ms':20}" + "".join(f"{f'{each} {name}':>17}" for each in ("p50", "p95") for name in columns))
    for path in PATHS:
        rounds = [each[path] for each in (quiet, beside, again)]
        figures = [*map(statistics.median, rounds), *(statistics.quantiles(each, n=20)[18] for each in rounds)]
        print(f"{path:20}" + "".join(f"{figure:17.1f}" for figure in figures))


def main(arguments: list[str] | None = None) -> None:
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as home:
        installation = Installation(Path(home), sandbox.url, os.environ.get("DATABASE_URL", ""))
        with Client(installation.prepare()) as client, Server(installation) as server:
            measured(sandbox, server, client)
