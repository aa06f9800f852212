"""Unique keys through every door while every upstream answer repeats them, then searched for: secrets, sinks, hits.

`python -m tests.bench canary` takes all fifteen faults at four vendors; DATABASE_URL and REDIS_URL name an empty
PostgreSQL database and a Redis server to do it on."""

import os
import tempfile
from pathlib import Path

from tests.faults.canaries import BEGINNINGS
from tests.faults.echo import FAULTS
from tests.faults.sinks import sing


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="parley-canary-") as home:
        database, redis = (os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL"))
        found = sing(Path(home), tuple(BEGINNINGS), FAULTS, database, redis)
    print(found)
    for name, sink in found.hits:
        print(f"  {name} stands in {sink}")
    return int(bool(found.hits))
