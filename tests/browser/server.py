"""A real server process with a home of its own; the test process never touches its rows."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90  # seconds until a server must answer; a cold start on a busy machine takes twenty


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """`url` has no trailing slash and names localhost, since passkeys refuse bare addresses."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    def _environment(self) -> dict[str, str]:
        own = {"PARLEY_HOME": str(self.home), "PARLEY_MODE": "development", "PYTHONUNBUFFERED": "1"}
        return os.environ | own | self.env

    def manage(self, *words: str) -> str:
        """Run one management command in this home; its standard output. Fails the test when the command fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=self._environment(), capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"manage.py {' '.join(words)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def sign_in_link(self, email: str, role: str = "member") -> str:
        """A one-time address that signs `email` in; the person and the membership are made when missing."""
        printed = self.manage("create_member", email, "--role", role)
        path = re.search(r"/enter/[\w-]+/", printed)
        assert path, printed
        return self.url + path.group()

    def start(self) -> "Server":
        command = [sys.executable, "manage.py", "runserver", "--noreload", f"localhost:{self.port}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._environment(), stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                urllib.request.urlopen(f"{self.url}/healthz", timeout=5)  # noqa: S310
                return self
            time.sleep(0.2)
        raise AssertionError(f"the server did not answer within {PATIENCE} s:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=20)
        self.process = None
