"""What a drill stands on: a sandbox, a database of its own, a Redis of its own."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
import redis

from tests import machine
from tests.faults.servers import Sandbox, free_port

POSTGRES = os.environ.get("PARLEY_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")


@pytest.fixture(scope="session")
def vendor() -> Iterator[Sandbox]:
    """The sandbox, in a process that no drill kills."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def postgres_url() -> Iterator[str]:
    yield from _database()


@pytest.fixture
def second_url() -> Iterator[str]:
    yield from _database()


def _database() -> Iterator[str]:
    name = f"parley_drill_{uuid4().hex[:8]}"
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    yield f"{POSTGRES.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class OwnRedis:
    """A Redis server that a drill may restart."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with redis.Redis(port=self.port) as probe:
            deadline = time.monotonic() + 10
            while True:
                try:
                    probe.ping()
                    return
                except redis.ConnectionError:
                    assert time.monotonic() < deadline, "redis-server did not start"
                    time.sleep(0.05)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    if shutil.which("redis-server") is None and not machine.REQUIRE_ALL:
        pytest.skip("left out: there is no redis-server on the path to restart")
    server = OwnRedis()
    server.start()
    yield server
    server.stop()
