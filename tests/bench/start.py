"""What a start costs: wall time to the printed address, CPU time and memory of the server process, then and warm."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WARM_SECONDS = 6.0


def main(arguments: list[str]) -> int:
    home = tempfile.mkdtemp(prefix="parley-bench-")
    try:
        for name in ("first start", "second start"):
            measure(name, home)
    finally:
        shutil.rmtree(home)
    return 0


def measure(name: str, home: str) -> None:
    begun = time.monotonic()
    command = [sys.executable, "manage.py", "up", "--json", "--port", "0"]
    environ = os.environ | {"PARLEY_HOME": home}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        json.loads(process.stdout.readline() if process.stdout else "")
        wall = time.monotonic() - begun
        print(f"{name}: {wall:.1f} s wall; {spent(process.pid)}", end="; ")
        time.sleep(WARM_SECONDS)
        print(f"adapters loaded: {spent(process.pid)}")
        process.send_signal(signal.SIGINT)


def spent(pid: int) -> str:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return f"{cpu:.1f} s CPU, {resident:.0f} MB"
