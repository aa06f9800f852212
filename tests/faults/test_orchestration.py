"""SIGKILL while specialists work: neither the answer nor any of its tasks stays open."""

import time
from pathlib import Path

import pytest

from tests.faults.client import Client, Watcher
from tests.faults.servers import Installation, Sandbox, Server

pytestmark = pytest.mark.drill
SPECIALISTS = "from accounts.models import Workspace; from chat import specialists; " + (
    "specialists.add_examples(Workspace.objects.get().pk)"
)
OPEN = "from chat.models import Run; print(Run.objects.active().count(), Run.objects.filter(parent=None).count())"


def test_a_kill_in_mid_task_leaves_no_task_open(vendor: Sandbox, tmp_path: Path) -> None:
    installation = Installation(tmp_path, vendor.url)
    with Client(installation.prepare()) as client, Server(installation) as server:
        installation.manage("shell", "--command", SPECIALISTS)
        run = client.send(server.url, input="Ask the specialists what a lease is", context="orchestration").json()
        watcher = Watcher(client, server.url, run["events_url"])
        deadline = time.monotonic() + 20
        while sum(entry.data.get("state") == "delegated" for entry in watcher.shown) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        tasks = [entry.data["run"] for entry in watcher.shown if entry.data.get("state") == "delegated"]
        server.kill()
        watcher.thread.join(5)
        server.start()
        assert client.replay(server.url, run["events_url"])[-1].data["code"] == "interrupted"
        while {client.run(server.url, task)["state"] for task in tasks} != {"interrupted"}:
            assert time.monotonic() < deadline + 15
            time.sleep(0.1)
        assert {client.run(server.url, task)["parent"] for task in tasks} == {run["id"]}
    assert installation.manage("shell", "--command", OPEN).splitlines()[-1] == "0 1"
    assert "0 broken" in installation.manage("verify_streams")
