"""Secrets with unique values are stored and used while every upstream answer repeats them: then they are searched for
in every log, response, socket, dump and file. Nothing may hold one.

A run of the suite takes a few of the upstream's faults; `python -m tests.bench canary` takes all of them."""

import os
from pathlib import Path

import pytest

from tests.faults.canaries import BEGINNINGS, forms, hits, key_of
from tests.faults.conftest import OwnRedis
from tests.faults.echo import FAULTS
from tests.faults.sinks import Searched, sing

PROVIDERS = tuple(BEGINNINGS)
FEW = ("401", "429", "500", "error")

pytestmark = pytest.mark.drill


def chosen() -> tuple[str, ...]:
    return FAULTS if os.environ.get("PARLEY_CANARY_ALL") else FEW


def check(found: Searched) -> None:
    print(f"\n{found}")
    assert found.hits == []
    assert found.failures == len(PROVIDERS) * len(chosen()), "every key was really used, and refused as it should be"
    for kind in ("database", ".log", "responses", "as commands print"):
        assert any(kind in name and size for name, size in found.sizes.items()), f"{kind} was searched"


def test_no_canary_sings_on_sqlite(tmp_path: Path) -> None:
    check(sing(tmp_path, PROVIDERS, chosen()))


@pytest.mark.postgres
@pytest.mark.redis
def test_no_canary_sings_on_postgresql_and_redis(tmp_path: Path, postgres_url: str, own_redis: OwnRedis) -> None:
    found = sing(tmp_path, PROVIDERS, chosen(), postgres_url, own_redis.url)
    check(found)
    assert any("redis" in name and size for name, size in found.sizes.items()), "Redis was listened to"


@pytest.mark.parametrize("provider_id", PROVIDERS)
def test_a_canary_that_sings_is_heard(provider_id: str) -> None:
    key = key_of(provider_id)
    for form in forms(key):
        assert hits({"it": key}, {"there": b"before " + form + b" after"}) == [("it", "there")]
    assert hits({"it": key}, {"there": key_of(provider_id).encode()}) == []
