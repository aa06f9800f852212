"""Looks into a database from outside, beside the processes that use it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from tests.faults.servers import Installation


@contextmanager
def connected(installation: Installation) -> Iterator[Any]:
    if installation.database_url:
        with psycopg.connect(installation.database_url, autocommit=True) as postgres:
            yield postgres
    else:
        path = installation.home / "parley.sqlite3"
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as sqlite:
            yield sqlite


@contextmanager
def counter(installation: Installation) -> Iterator[Callable[[str], int]]:
    """How many credentials are under a key now."""
    with connected(installation) as connection:

        def under(key: str) -> int:
            query = f"SELECT COUNT(*) FROM providers_credential WHERE secret LIKE '{key}$%'"  # noqa: S608
            return int(connection.execute(query).fetchone()[0])

        yield under


def sealed_values(installation: Installation) -> list[str]:
    with connected(installation) as connection:
        rows = connection.execute("SELECT secret FROM providers_credential WHERE secret IS NOT NULL").fetchall()
    assert rows
    return [str(row[0]) for row in rows]
