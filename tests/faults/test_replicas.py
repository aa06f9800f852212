"""Two web processes on PostgreSQL and Redis: either follows, resumes and stops what the other one writes."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from chat.protocol import fold
from tests.faults.client import Client, Watcher, text_of
from tests.faults.conftest import OwnRedis, database
from tests.faults.servers import Installation, Sandbox, Server
from tests.faults.test_client_tools import bring, waiting_run

pytestmark = [pytest.mark.drill, pytest.mark.postgres, pytest.mark.redis]


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with database() as url:
        yield url


@pytest.fixture(scope="module")
def running(
    vendor: Sandbox, tmp_path_factory: pytest.TempPathFactory, postgres_url: str, own_redis: OwnRedis
) -> Iterator[tuple[Client, Server, Server]]:
    installation = Installation(tmp_path_factory.mktemp("home"), vendor.url, postgres_url, own_redis.url)
    with Client(installation.prepare()) as client, Server(installation) as one, Server(installation) as other:
        yield client, one, other


@pytest.fixture
def pair(running: tuple[Client, Server, Server], own_redis: OwnRedis) -> tuple[Client, Server, Server]:
    """The same two for all: a test may have ended with Redis down, and they find it again by themselves."""
    own_redis.be_up()
    return running


def test_a_stream_is_followed_and_resumed_on_the_other_process_with_redis_restarted(
    pair: tuple[Client, Server, Server], own_redis: OwnRedis
) -> None:
    client, one, other = pair
    run = client.send(one.url, input="Tell me a long story /slow 40 /tokens 240").json()
    there = Watcher(client, other.url, run["events_url"])
    there.wait_for(5)
    own_redis.stop()
    there.wait_for(len(there.shown) + 5)
    time.sleep(0.5)
    own_redis.start()
    resumed_after = there.shown[-1].sequence
    resumed = list(client.stream(other.url, run["events_url"], after=resumed_after))
    there.thread.join(30)
    truth = client.replay(one.url, run["events_url"])
    assert truth[-1].event_type == "done"
    assert there.shown == truth
    assert resumed == truth[resumed_after:]
    assert client.messages(other.url, run["conversation"])[1]["parts"] == fold(truth)
    for server in (one, other):
        assert server.process.poll() is None, "nothing was restarted by hand"


@pytest.mark.parametrize("redis_is_up", [True, False])
def test_the_process_that_does_not_write_a_run_stops_it_within_a_second(
    pair: tuple[Client, Server, Server], vendor: Sandbox, postgres_url: str, own_redis: OwnRedis, redis_is_up: bool
) -> None:
    client, one, other = pair
    run = client.send(one.url, input="A story /slow 20 /tokens 2000").json()
    Watcher(client, one.url, run["events_url"]).wait_for(3)
    bystander = one if writer_of(postgres_url, run["id"]) == other.process.pid else other
    if not redis_is_up:
        own_redis.stop()
    asked = time.time()
    assert client.stop(bystander.url, run["id"]).status_code in {200, 202}
    assert closed_after(vendor, asked) < 1.0
    entries = client.replay(bystander.url, run["events_url"])
    assert (entries[-1].event_type, entries[-1].data["reason"]) == ("done", "user_stop")
    assert text_of(entries)


@pytest.mark.parametrize("redis_is_up", [True, False])
def test_a_clients_result_reaches_its_run_through_the_other_process(
    pair: tuple[Client, Server, Server], postgres_url: str, own_redis: OwnRedis, redis_is_up: bool
) -> None:
    client, one, other = pair
    run, watcher, call_id = waiting_run(client, one)
    bystander = one if writer_of(postgres_url, run["id"]) == other.process.pid else other
    if not redis_is_up:
        own_redis.stop()
    asked = time.monotonic()
    assert bring(client, bystander, run, call_id).status_code == 202
    watcher.thread.join(30)
    assert time.monotonic() - asked < 10
    truth = client.replay(bystander.url, run["events_url"])
    assert watcher.shown == truth
    assert (truth[-1].event_type, "Sunny, 21 °C" in text_of(truth)) == ("done", True)
    again = bring(client, one, run, call_id)
    assert again.status_code == 202, "the same result may come again, wherever"


def test_a_process_ends_in_its_turn_while_redis_is_away(
    pair: tuple[Client, Server, Server], own_redis: OwnRedis
) -> None:
    _, _, other = pair
    own_redis.stop()
    time.sleep(0.5)
    other.process.terminate()
    other.process.wait(8)
    other.start()


def writer_of(postgres_url: str, run_id: str) -> int:
    """The process id of the server that writes a run."""
    with psycopg.connect(postgres_url) as database:
        row = database.execute("SELECT lease_owner FROM chat_run WHERE id = %s", [run_id]).fetchone()
    assert row is not None
    return int(row[0].split(":")[1])


def closed_after(vendor: Sandbox, asked: float) -> float:
    """Seconds from the request to the moment at which the sandbox saw its socket closed."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        last = vendor.requests()[-1]
        if last["outcome"] == "client_closed":
            ended: float = last["ended_at"]
            return ended - asked
        time.sleep(0.05)
    raise AssertionError(f"the upstream socket stayed open: {vendor.requests()[-1]}")
