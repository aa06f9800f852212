"""Stop really stops upstream, and a reader that goes away stops nothing."""

import time
from collections.abc import Iterator

import pytest

from chat.protocol import DELTAS
from tests.faults.client import Client, Watcher
from tests.faults.servers import Installation, Sandbox, Server
from tests.faults.test_replicas import closed_after

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def served(vendor: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Server]]:
    installation = Installation(tmp_path_factory.mktemp("home"), vendor.url)
    with Client(installation.prepare()) as client, Server(installation) as server:
        yield client, server


@pytest.mark.parametrize("model", ["openai/gpt-sandbox", "gemini/gemini-sandbox-pro"])
def test_stop_closes_the_upstream_socket_within_a_second(
    served: tuple[Client, Server], vendor: Sandbox, model: str
) -> None:
    client, server = served
    run = client.send(server.url, input="A long story /slow 30 /tokens 2000", model=model).json()
    Watcher(client, server.url, run["events_url"]).wait_for(4)
    asked = time.time()
    client.stop(server.url, run["id"])
    assert closed_after(vendor, asked) < 1.0
    entries = client.replay(server.url, run["events_url"])
    assert entries[-1].data["reason"] == "user_stop"
    assert any(entry.event_type in DELTAS for entry in entries), "what had arrived is kept"
    assert client.run(server.url, run["id"])["state"] == "stopped"


def test_a_reader_that_leaves_does_not_stop_the_run(served: tuple[Client, Server]) -> None:
    client, server = served
    run = client.send(server.url, input="A story /slow 60 /tokens 150").json()
    stream = client.stream(server.url, run["events_url"])
    for _ in range(3):
        next(stream)
    stream.close()
    entries = client.replay(server.url, run["events_url"])
    assert entries[-1].event_type == "done"
    assert entries[-1].data["reason"] == "completed"


def test_resuming_from_any_sequence_gives_the_rest(served: tuple[Client, Server]) -> None:
    client, server = served
    run = client.send(server.url, input="A story /slow 100 /tokens 100").json()
    truth = client.replay(server.url, run["events_url"])
    for after in range(0, len(truth), 3):
        assert list(client.stream(server.url, run["events_url"], after=after)) == truth[after:]
