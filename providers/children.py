"""Processes that live and die with this one. What they do is their own business."""

import json
import os
import subprocess
import sys
import threading
from queue import Empty, Queue
from typing import Any

from django.conf import settings

# What a child needs to start at all; secrets and keys of this process stay here.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PARLEY_HOME", "PYTHONDONTWRITEBYTECODE")


class ChildFailed(Exception):
    """A child ended, or said nothing in time."""


class Child:
    """A Python process that says one JSON line when it is ready and ends when its standard input does.

    The input is a pipe that nobody writes to: the system closes it however this process ends, `kill -9` included.
    """

    def __init__(self, name: str, *arguments: str, **environment: str) -> None:
        self.name = name
        passed_on = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own modules, by constant names
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env=passed_on | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches us alone; children go after the last run has ended
            text=True,
        )
        self._first: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, name=f"{name}-output", daemon=True)
        self._reader.start()

    def announcement(self, seconds: float) -> dict[str, Any]:
        """Wait for the line and return it. Raises ChildFailed, after ending the child."""
        try:
            line = self._first.get(timeout=seconds)
            announced: dict[str, Any] = json.loads(line)
        except (Empty, ValueError):
            self.end()
            raise ChildFailed(f"the {self.name} did not start within {seconds:.0f} s") from None
        return announced

    def end(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)

    def _read(self) -> None:
        """Hand over the first line, read and drop the rest, so that the child never waits for a reader."""
        output = self._process.stdout
        if output is None:
            return
        with output:
            self._first.put(output.readline())
            for _ in output:
                pass
