"""The tests' own MCP server leaves nothing behind: it ends with the process that started it, even a killed one."""

import subprocess
import sys
import time
from pathlib import Path

from tests.faults.servers import ROOT

STARTER = """
import subprocess, sys, time
command = [sys.executable, "-m", "tests.chat.tools.mcp_server"]
server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
server.stdout.readline()
print(server.pid, flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_it_ends_when_its_starter_is_killed() -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert alive(pid)
    starter.kill()
    starter.communicate()
    until = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < until, "it is left behind"
        time.sleep(0.05)
