"""SIGKILL of the process whose run waits for its client's tools: the run is closed, and the conversation goes on."""

import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chat.protocol import Entry, fold
from chat.tools.waiting import AWAITING
from tests.chat.tools.test_waiting import WEATHER
from tests.faults.client import Client, Watcher, text_of
from tests.faults.servers import Installation, Sandbox, Server

pytestmark = pytest.mark.drill


def test_a_kill_while_a_result_is_awaited_closes_the_run(vendor: Sandbox, tmp_path: Path) -> None:
    installation = Installation(tmp_path, vendor.url)
    with Client(installation.prepare()) as client, Server(installation) as server:
        run, watcher, call_id = waiting_run(client, server)
        server.kill()
        watcher.thread.join(5)
        server.start()
        restarted = time.monotonic()
        entries = client.replay(server.url, run["events_url"])
        assert time.monotonic() - restarted < 15
        assert entries[: len(watcher.shown)] == watcher.shown, "what was shown is what is stored"
        assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
        assert (entries[-1].event_type, entries[-1].data["code"]) == ("error", "interrupted")
        assert client.messages(server.url, run["conversation"])[1]["parts"] == fold(entries)
        late = bring(client, server, run, call_id)
        assert (late.status_code, late.json()["code"]) == (409, "not_awaited"), "nobody would read it"
        goes_on(client, server, run)
    assert "0 broken" in installation.manage("verify_streams")


def waiting_run(client: Client, server: Server) -> tuple[dict[str, Any], Watcher, str]:
    """A run that waits for one result, who watches it, and the id of the call."""
    accepted = client.send(server.url, input='Use get_weather for "Oslo"', tools=[WEATHER])
    assert accepted.status_code == 202, accepted.text
    watcher = Watcher(client, server.url, accepted.json()["events_url"])
    until = time.monotonic() + 20
    while not (found := [entry for entry in list(watcher.shown) if entry.data.get("state") == AWAITING]):
        assert time.monotonic() < until, watcher.shown
        time.sleep(0.02)
    (call_id,) = found[0].data["tool_call_ids"]
    return accepted.json(), watcher, call_id


def bring(client: Client, server: Server, run: dict[str, Any], call_id: str) -> httpx2.Response:
    given = {"tool_call_id": call_id, "result": "Sunny, 21 °C"}
    return client.http.post(f"{server.url}/api/v1/runs/{run['id']}/tool-results/", json={"results": [given]})


def goes_on(client: Client, server: Server, run: dict[str, Any]) -> None:
    """The call that got no result is in nobody's way: the sandbox refuses half a pair as the vendors do."""
    more = client.send(server.url, conversation=run["conversation"], input="Never mind the weather. Say hello.")
    assert more.status_code == 202, more.text
    entries: list[Entry] = client.replay(server.url, more.json()["events_url"])
    assert entries[-1].event_type == "done", entries[-1]
    assert text_of(entries)
