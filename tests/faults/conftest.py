"""What a drill stands on: a sandbox, a database of its own, a Redis of its own."""

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis

from tests import machine
from tests.faults.servers import Installation, Sandbox, free_port

POSTGRES = os.environ.get("PARLEY_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")


@pytest.fixture(scope="session")
def vendor() -> Iterator[Sandbox]:
    """The sandbox, in a process that no drill kills."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def postgres_url() -> Iterator[str]:
    with database() as url:
        yield url


@pytest.fixture
def empty_url() -> Iterator[str]:
    with database(empty=True) as url:
        yield url


@contextmanager
def database(*, empty: bool = False) -> Iterator[str]:
    """The address of a PostgreSQL database of one's own, migrated unless it has to be empty."""
    name = f"parley_drill_{uuid4().hex[:8]}"
    _create(name, "template1" if empty else _migrated())
    yield _address(name)
    _drop(name)


@cache
def _migrated() -> str:
    name = f"parley_template_{uuid4().hex[:8]}"
    _create(name, "template1")
    atexit.register(_drop, name)
    with tempfile.TemporaryDirectory(prefix="parley-home-") as home:
        Installation(Path(home), "", _address(name)).manage("migrate", "--verbosity", "0")
    return name


def _address(name: str) -> str:
    return f"{POSTGRES.rsplit('/', 1)[0]}/{name}"


def _create(name: str, template: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _drop(name: str) -> None:
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

    def be_up(self) -> None:
        if self.process.poll() is not None:
            self.start()


@pytest.fixture(scope="module")
def own_redis() -> Iterator[OwnRedis]:
    if shutil.which("redis-server") is None and not machine.REQUIRE_ALL:
        pytest.skip("left out: there is no redis-server on the path to restart")
    server = OwnRedis()
    server.start()
    yield server
    server.stop()
