"""The key ring against real processes: rotated under load and killed, restored from a backup, refused when wrong.

`python -m tests.bench vault` is the first drill at its full size: 10,000 rows and 20 kills."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.faults import rotation
from tests.faults.servers import ROOT, Installation, Sandbox, free_port

ROWS = int(os.environ.get("PARLEY_ROTATED", "1000"))
ROWS_KEPT = 20
KILLS = int(os.environ.get("PARLEY_ROTATION_KILLS", "3"))

pytestmark = pytest.mark.drill


def test_a_rotation_on_sqlite_survives_kills_and_disturbs_nobody(vendor: Sandbox, tmp_path: Path) -> None:
    figures = rotation.drill(tmp_path, vendor, "", rows=ROWS, kills=KILLS)
    print(f"\n{figures}")
    assert figures.failed == []
    assert figures.requests > 0


@pytest.mark.postgres
def test_a_rotation_on_postgresql_survives_kills_and_disturbs_nobody(
    vendor: Sandbox, tmp_path: Path, postgres_url: str
) -> None:
    figures = rotation.drill(tmp_path, vendor, postgres_url, rows=ROWS, kills=KILLS)
    print(f"\n{figures}")
    assert figures.failed == []
    assert figures.requests > 0


def test_a_server_does_not_start_with_a_ring_that_reads_nothing(vendor: Sandbox, tmp_path: Path) -> None:
    """The one key that is in both rings goes by the same name, as after a restore without the right environment."""
    installation, ring = Installation(tmp_path, vendor.url), rotation.Ring()
    fill(installation, ring)
    installation.extra = rotation.Ring().of("k1")
    assert "the key k1 opens nothing in providers.Credential.secret" in rotation.refused_start(installation)
    status, said = asked_of_daphne(installation)
    assert status == 503
    assert "the key k1 opens nothing in providers.Credential.secret" in said


def asked_of_daphne(installation: Installation) -> tuple[int, str]:
    """Daphne has no start-up event: what its first request is answered, and what it logs."""
    port = str(free_port())
    command = [sys.executable, "-m", "daphne", "-p", port, "project.asgi:application"]
    with subprocess.Popen(command, cwd=ROOT, env=installation.environment, stderr=subprocess.PIPE, text=True) as server:
        deadline = time.monotonic() + 60
        while True:
            try:
                status = httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=20).status_code
                break
            except httpx2.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        server.terminate()
        return status, server.communicate()[1]


@pytest.mark.postgres
def test_a_backup_is_readable_with_its_ring_and_refused_without(
    vendor: Sandbox, tmp_path: Path, postgres_url: str, empty_url: str
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    installation, ring = Installation(tmp_path / "first", vendor.url, postgres_url), rotation.Ring()
    fill(installation, ring)
    dump = subprocess.run(["pg_dump", postgres_url], capture_output=True, check=True).stdout
    assert b"sandbox-member-" not in dump
    restored = ["psql", "--quiet", "--set", "ON_ERROR_STOP=1", empty_url]
    subprocess.run(restored, input=dump, stdout=subprocess.DEVNULL, check=True)
    other = Installation(tmp_path / "second", vendor.url, empty_url, extra=ring.of("k1"))
    rotation.check_readable(other, ROWS_KEPT)
    other.extra = rotation.Ring().of("k1")
    assert "the key k1 opens nothing in providers.Credential.secret" in rotation.refused_start(other)


def fill(installation: Installation, ring: rotation.Ring) -> None:
    installation.extra = ring.of("k1")
    installation.prepare(catalog=False)
    installation.manage("shell", "-c", rotation.MEMBERS.format(rows=ROWS_KEPT))
