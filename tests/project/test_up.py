"""`manage.py up`, as a script and as a newcomer meet it: a real process, its children, its way in, its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from project.management.commands.up import Command
from tests.faults.servers import furnish
from tests.guards.source import ROOT

pytestmark = pytest.mark.drill


@contextmanager
def up(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    command = [sys.executable, "manage.py", "up", "--json", "--port", "0", *arguments]
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {"PARLEY_HOME": str(home)}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(30)
        if process.stdout:
            process.stdout.close()


def get(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]


def gone(pid: int, seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return True
        time.sleep(0.1)
    return False


def test_one_line_says_all_that_a_script_needs_and_everything_in_it_works(tmp_path: Path) -> None:
    with up(tmp_path) as (process, line):
        assert set(line) == {"url", "sign_in_url", "api_token", "sandbox_url"}
        assert line["url"].startswith("http://localhost:")
        port = int(line["url"].rpartition(":")[2])
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family) as connection:
                connection.connect((host, port))
        assert get(line["url"] + "/readyz") == (200, '{"status": "ready"}')
        status, models = get(line["url"] + "/api/v1/models/", Authorization=f"Bearer {line['api_token']}")
        assert status == 200
        assert "openai/" in models
        assert signs_in_once(line)
        assert process.poll() is None
    assert process.returncode == 0


def signs_in_once(line: dict[str, str]) -> bool:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar := CookieJar()))
    with browser.open(line["sign_in_url"], timeout=20) as page:
        inside = "/accounts/login" not in page.geturl()
    stranger = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    try:
        with stranger.open(line["sign_in_url"], timeout=20) as page:
            used_up = "/accounts/login" in page.geturl()
    except urllib.error.HTTPError:
        used_up = True
    return inside and used_up and any("session" in cookie.name for cookie in jar)


def test_starting_again_keeps_the_owner_and_earlier_tokens_and_a_kill_takes_the_children_along(tmp_path: Path) -> None:
    furnish(tmp_path, catalog=True)
    with up(tmp_path) as (_process, line):
        earlier = line["api_token"]
        before = whose(line, earlier)
    with up(tmp_path) as (process, line):
        assert before == whose(line, earlier) == whose(line, line["api_token"])
        started = children(process.pid)
        assert started
        process.kill()
        process.wait(10)
        assert all(gone(child) for child in started)
    assert (before["email"], before["role"]) == ("owner@localhost", "owner")


def whose(line: dict[str, str], token: str) -> dict[str, Any]:
    status, said = get(line["url"] + "/api/v1/me/", Authorization=f"Bearer {token}")
    assert status == 200
    me: dict[str, Any] = json.loads(said)
    return me


def test_lists_that_are_read_too_slowly_are_told_of_and_do_not_stop_the_start() -> None:
    said = StringIO()
    Command(stderr=said)._sync(0.05)
    assert "were not read within 0.05 s" in said.getvalue()
    assert "sync_catalog" in said.getvalue()


def test_a_taken_port_is_named_with_its_remedy(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "manage.py", "up", "--port", port],
            cwd=ROOT,
            env=os.environ | {"PARLEY_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is in use" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr
