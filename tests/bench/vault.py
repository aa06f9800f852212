"""A key ring rotated while people work: rows, kills, failed requests, seconds.

`python -m tests.bench vault [ROWS [KILLS]]`, 10,000 and 20 unless told otherwise; DATABASE_URL names a PostgreSQL
database, which has to be empty."""

import os
import tempfile
from pathlib import Path

from tests.faults import rotation
from tests.faults.servers import Sandbox


def main(arguments: list[str]) -> int:
    rows = int(arguments[0]) if arguments else 10_000
    kills = int(arguments[1]) if len(arguments) > 1 else 20
    with Sandbox() as vendor, tempfile.TemporaryDirectory(prefix="parley-vault-") as home:
        figures = rotation.drill(Path(home), vendor, os.environ.get("DATABASE_URL", ""), rows=rows, kills=kills)
    print(figures)
    for each in figures.failed[:5]:
        print(f"  failed: {each[:300]}")
    return int(bool(figures.failed))
