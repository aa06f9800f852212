"""A small API client for drills: start runs, read their streams, keep every byte that was shown."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx2

from chat.protocol import Entry


@dataclass
class Client:
    token: str

    def __post_init__(self) -> None:
        # No connection is kept: a server that is killed must not leave a stale one behind.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self.http = httpx2.Client(headers={"Authorization": f"Bearer {self.token}"}, timeout=20, limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.http.close()

    def send(self, url: str, **body: Any) -> httpx2.Response:
        return self.http.post(f"{url}/api/v1/runs/", json={"context": "chat", **body})

    def run(self, url: str, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"{url}/api/v1/runs/{run_id}/").json()
        return found

    def stop(self, url: str, run_id: str) -> httpx2.Response:
        return self.http.post(f"{url}/api/v1/runs/{run_id}/stop/")

    def messages(self, url: str, conversation: str) -> list[dict[str, Any]]:
        found = self.http.get(f"{url}/api/v1/conversations/{conversation}/messages/").json()
        return found["results"] if isinstance(found, dict) else found

    def stream(self, url: str, events_url: str, after: int = 0) -> Iterator[Entry]:
        """Entries as they arrive; ends when the server ends the stream or goes away."""
        address = events_url if events_url.startswith("http") else f"{url}{events_url}"
        with self.http.stream("GET", address, params={"after": after} if after else {}, timeout=30) as response:
            assert response.status_code == 200, response.read()
            event_type = ""
            for line in response.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event_type = value
                elif name == "data":
                    frame = json.loads(value)
                    yield Entry(frame["sequence"], event_type, frame["data"])

    def replay(self, url: str, events_url: str) -> list[Entry]:
        return list(self.stream(url, events_url))


@dataclass
class Watcher:
    """Reads one stream in a thread and keeps what was shown until the server is gone."""

    client: Client
    url: str
    events_url: str
    shown: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        try:
            with Client(self.client.token) as reader:
                for entry in reader.stream(self.url, self.events_url):
                    self.shown.append(entry)
        except httpx2.TransportError:
            return

    def wait_for(self, entries: int, seconds: float = 15) -> None:
        deadline = time.monotonic() + seconds
        while len(self.shown) < entries:
            assert time.monotonic() < deadline, f"only {len(self.shown)} of {entries} entries were shown"
            time.sleep(0.01)


def text_of(entries: list[Entry]) -> str:
    return "".join(entry.data["delta"] for entry in entries if entry.event_type == "content_delta")
