"""The sandbox as a process of its own, for any test: `from tests.sandbox.server import sandbox`."""

import atexit
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACE = "1000"


@dataclass(frozen=True, slots=True)
class SandboxServer:
    """A running sandbox; `url` is where it listens, the others are base URLs as credentials carry them."""

    url: str
    process: subprocess.Popen[str]

    @property
    def openai(self) -> str:
        return f"{self.url}/openai/v1"

    @property
    def anthropic(self) -> str:
        return f"{self.url}/anthropic"

    @property
    def gemini(self) -> str:
        return f"{self.url}/gemini"

    @property
    def compatible(self) -> str:
        return f"{self.url}/compatible/v1"

    def arm(self, provider: str, fault: str, **order: Any) -> None:
        """Let the next `count` (1) requests fail; `after`, `seconds` and `on` as `providers.sandbox.faults` says."""
        answer = self._call("POST", "faults", {"provider": provider, "fault": fault, **order})
        assert answer.status_code == 201, answer.text

    def disarm(self) -> None:
        self._call("DELETE", "faults")

    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "requests").json()
        return found

    def forget(self) -> None:
        self._call("DELETE", "requests")

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 5) -> dict[str, Any]:
        """The newest record that fits, as soon as there is one."""
        end = time.monotonic() + seconds
        while True:
            found = [record for record in self.requests() if wanted(record)]
            if found:
                return found[-1]
            assert time.monotonic() < end, f"no such request among {self.requests()}"
            time.sleep(0.02)

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def _call(self, method: str, what: str, order: Any = None) -> httpx2.Response:
        with httpx2.Client(trust_env=False, timeout=10) as client:
            return client.request(method, f"{self.url}/_sandbox/{what}", json=order)


def start(*arguments: str) -> SandboxServer:
    """A sandbox that dies with this process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "providers.sandbox", "--lifeline", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PARLEY_MODE"},
    )
    assert process.stdout is not None
    return SandboxServer(json.loads(process.stdout.readline())["url"], process)


@cache
def shared() -> SandboxServer:
    """The one sandbox of a test run, however many modules import the fixture."""
    server = start("--pace", PACE)
    atexit.register(server.stop)
    return server


@pytest.fixture(scope="session")
def sandbox() -> SandboxServer:
    """A running sandbox. It is shared: disarm what you arm, and tell your records from those of others."""
    return shared()
