"""SIGKILL of the server in mid-stream, again and again: nothing that was acknowledged or shown is lost or doubled.

A run of the suite kills a few times; PARLEY_KILLS says how often otherwise."""

import os
import random
import time
from pathlib import Path

import pytest

from chat.protocol import Entry, fold
from tests.faults.client import Client, Watcher, text_of
from tests.faults.servers import Installation, Sandbox, Server

KILLS = int(os.environ.get("PARLEY_KILLS", "5"))

pytestmark = pytest.mark.drill


def test_kills_on_sqlite_lose_nothing(vendor: Sandbox, tmp_path: Path) -> None:
    drill(Installation(tmp_path, vendor.url))


@pytest.mark.postgres
def test_kills_on_postgresql_lose_nothing(vendor: Sandbox, tmp_path: Path, postgres_url: str) -> None:
    drill(Installation(tmp_path, vendor.url, postgres_url))


def drill(installation: Installation) -> None:
    slowest = 0.0
    with Client(installation.prepare()) as client, Server(installation) as server:
        for number in range(KILLS):
            question = f"Question {number}: tell me about leases /slow 60 /tokens 600"
            slowest = max(slowest, kill_once(client, server, question))
    assert "0 broken" in installation.manage("verify_streams")
    print(f"\n{KILLS} kills: 0 lost, 0 doubled, slowest terminal event {slowest:.1f} s after the restart")


def kill_once(client: Client, server: Server, question: str) -> float:
    """Kill in mid-stream, restart, compare; seconds from the restart to the terminal event."""
    accepted = client.send(server.url, input=question)
    assert accepted.status_code == 202, accepted.text
    run = accepted.json()
    watcher = Watcher(client, server.url, run["events_url"])
    watcher.wait_for(3)
    time.sleep(random.uniform(0, 0.5))
    server.kill()
    watcher.thread.join(5)
    restarted = time.monotonic()
    server.start()
    entries = client.replay(server.url, run["events_url"])
    seconds = time.monotonic() - restarted
    check_story(client, server, run, question, watcher.shown, entries)
    assert seconds < 15
    check_continue(client, server, run)
    return seconds


def check_story(
    client: Client, server: Server, run: dict[str, str], question: str, shown: list[Entry], entries: list[Entry]
) -> None:
    assert entries[: len(shown)] == shown, "what was shown is what is stored"
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert (entries[-1].event_type, entries[-1].data["code"]) == ("error", "interrupted")
    asked, answered = client.messages(server.url, run["conversation"])[:2]
    assert asked["parts"] == [{"type": "text", "text": question}]
    assert answered["parts"] == fold(entries)
    assert client.run(server.url, run["id"])["state"] == "interrupted"


def check_continue(client: Client, server: Server, run: dict[str, str]) -> None:
    more = client.send(server.url, continues=run["stream_id"], conversation=run["conversation"], input="")
    assert more.status_code == 202, more.text
    stream = client.stream(server.url, more.json()["events_url"])
    while next(stream).event_type != "content_delta":
        pass
    stream.close()
    assert client.stop(server.url, more.json()["id"]).status_code in {200, 202}
    assert text_of(client.replay(server.url, more.json()["events_url"]))
