"""Runs the extraction of one file in a process with limits, and hears what it found. Blocks; for threads."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from chat.extraction.limits import Limits
from chat.extraction.pictures import NORMAL, PREVIEW
from chat.extraction.refusals import SENTENCES, Refused

TICK_SECONDS = 0.1
OUT_OF_MEMORY = 3
# What the process needs to start; no secret of ours is among it.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")


class Abandoned(Exception):
    """Whoever wanted the file read has gone."""


@dataclass(slots=True)
class Extracted:
    """`pages` in order; of a picture its new bytes, its media type and a small copy instead."""

    pages: list[str] = field(default_factory=list)
    total: int | None = None
    media_type: str = ""
    picture: bytes = b""
    preview: bytes = b""


def extract(
    kind: str, source: BinaryIO, limits: Limits, tick: Callable[[Extracted], bool] = lambda _: True
) -> Extracted:
    """`source` is a real file, open at its start. `tick` hears ten times a second what there is so far; when it says
    False the process is ended and Abandoned raised. Raises Refused for a file that cannot be read."""
    with tempfile.TemporaryDirectory(prefix="parley-") as name:
        folder = Path(name)
        with (folder / "said").open("wb+") as said:
            process = _start(kind, source, folder, limits, said)
            try:
                found = _hear(process, folder / "said", limits, tick)
            finally:
                process.kill()
                process.wait()
        if found.media_type:
            found.picture, found.preview = ((folder / each).read_bytes() for each in (NORMAL, PREVIEW))
        return found


def _start(kind: str, source: BinaryIO, folder: Path, limits: Limits, said: BinaryIO) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own module; what a person named is in no argument
        [sys.executable, "-m", "chat.extraction", kind, str(folder), limits.dump()],
        cwd=settings.BASE_DIR,
        env={key: os.environ[key] for key in PASSED_ON if key in os.environ},
        stdin=source,
        stdout=said,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _hear(process: subprocess.Popen[bytes], said: Path, limits: Limits, tick: Callable[[Extracted], bool]) -> Extracted:
    found, ended = Extracted(), False
    until = time.monotonic() + limits.seconds
    with said.open("rb") as lines:
        while process.poll() is None:
            if time.monotonic() > until:
                raise Refused("too_slow")
            ended = _take(lines, found) or ended
            if not tick(found):
                raise Abandoned
            try:
                process.wait(TICK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        ended = _take(lines, found) or ended
    if not ended:
        raise Refused(_ended_by(process.returncode))
    return found


def _take(lines: BinaryIO, found: Extracted) -> bool:
    """Hear the complete lines there are; returns whether the last one was among them. Raises Refused."""
    while True:
        at = lines.tell()
        line = lines.readline()
        if not line.endswith(b"\n"):
            lines.seek(at)
            return False
        said: dict[str, Any] = json.loads(line)
        match said:
            case {"page": int(), "text": str(text)}:
                found.pages.append(text)
            case {"total": int(total)}:
                found.total = total
            case {"image": str(media_type)}:
                found.media_type = media_type
            case {"failed": str(code)}:
                raise Refused(code if code in SENTENCES else "damaged")
            case {"done": True}:
                return True


def _ended_by(status: int) -> str:
    """Why a process that did not finish ended; a parser's own failure is the file's."""
    if status in {-signal.SIGXCPU, -signal.SIGKILL}:
        return "too_slow"
    if status in {OUT_OF_MEMORY, -signal.SIGABRT}:
        return "too_much_memory"
    return "too_much_text" if status == -signal.SIGXFSZ else "damaged"
