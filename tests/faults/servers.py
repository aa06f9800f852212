"""Real server processes for drills: a sandbox that outlives them, and Parley on any database, to be killed at will."""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import psycopg

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "parley.sqlite3"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Sandbox:
    """The vendor sandbox in a process of its own; `pace` is pieces a second, where a question names none."""

    def __init__(self, pace: float = 60) -> None:
        self.pace = pace

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "providers.sandbox", "--port", "0", "--lifeline", "--pace", str(self.pace)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url: str = json.loads(self.process.stdout.readline())["url"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def requests(self) -> list[dict[str, Any]]:
        """The requests for an answer, oldest first; the checks that run beside them list models and are left out."""
        found: list[dict[str, Any]] = httpx2.get(f"{self.url}/_sandbox/requests").json()
        return [each for each in found if not each["path"].endswith("/models")]


@dataclass
class Installation:
    """One installation: its home, its database, its sandbox. Several servers may run on it."""

    home: Path
    sandbox_url: str
    database_url: str = ""
    redis_url: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        settings = {
            "PARLEY_HOME": str(self.home),
            "PARLEY_SANDBOX_URL": self.sandbox_url,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "PYTHONUNBUFFERED": "1",
            "AUTO_TITLES": "0",
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
        return kept | {name: value for name, value in settings.items() if value} | self.extra

    def manage(self, *arguments: str) -> str:
        """Run a command to its end; its standard output, stripped."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def prepare(self, email: str = "owner@example.com", *, catalog: bool = True) -> str:
        """Migrate, make an owner, fill the catalog; returns an API token."""
        if not self.database_url:
            furnish(self.home, catalog=catalog)
        else:
            if not self._is_migrated():
                self.manage("migrate", "--verbosity", "0")
            if catalog:
                self.manage("sync_catalog")
        self.manage("create_member", email, "--role", "owner")
        return self.manage("create_api_token", email, "--scopes", "chat", "models", "credentials")

    def _is_migrated(self) -> bool:
        with psycopg.connect(self.database_url) as database:
            found = database.execute("SELECT to_regclass('django_migrations')").fetchone()
        return found is not None and found[0] is not None


def furnish(home: Path, *, catalog: bool) -> None:
    """Put a migrated database into `home`, with the sandbox's models or without. Each is made once in a run, by the
    commands that an operator would use, and then copied."""
    shutil.copy(_filled() if catalog else _migrated(), home / DATABASE)


@cache
def _migrated() -> Path:
    home = _empty_home()
    Installation(home, "").manage("migrate", "--verbosity", "0")
    return home / DATABASE


@cache
def _filled() -> Path:
    home = _empty_home()
    furnish(home, catalog=False)
    with Sandbox() as vendor:
        Installation(home, vendor.url).manage("sync_catalog")
    return home / DATABASE


def _empty_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="parley-home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


@dataclass
class Server:
    """One web process. `kill()` is SIGKILL."""

    installation: Installation
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        log = self.installation.home / f"server-{self.port}.log"
        command = [sys.executable, "-m", "uvicorn", "project.asgi:application", "--port", str(self.port)]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, "--log-level", "warning", "--ws-per-message-deflate", "false"],
                cwd=ROOT,
                env=self.installation.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._wait(log)
        return self

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, log.read_text(encoding="utf-8")[-2000:]
            try:
                if httpx2.get(f"{self.url}/healthz", timeout=2).status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')[-2000:]}")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
