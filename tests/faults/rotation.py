"""A rotation of the key ring while people work, killed again and again: the drill, and what it measured."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import httpx2
from cryptography.fernet import Fernet, InvalidToken

from tests.faults.servers import ROOT, Installation, Sandbox, Server
from tests.faults.stored import counter, sealed_values

MEMBERS = """
from accounts import sealing
from accounts.models import Membership, User, Workspace
from providers.models import Credential
workspace, count = Workspace.objects.get(), {rows}
people = User.objects.bulk_create([User(email=f"member{{number}}@example.com") for number in range(count)])
Membership.objects.bulk_create([Membership(user=one, workspace=workspace) for one in people])
rows = [Credential(workspace=workspace, user=one, provider_id="openai", hint="sandbox-…") for one in people]
for number, row in enumerate(rows):
    row.secret = sealing.seal(row, f"sandbox-member-{{number:06}}")
Credential.objects.bulk_create(rows, batch_size=500)
"""
OPEN_MEMBERS = """
from providers import credentials
from providers.models import Credential
keys = [credentials.open_stored(pk)[1].reveal() for pk in Credential.objects.filter(user__email__startswith="member")
        .order_by().values_list("pk", flat=True)]
print(sorted(keys) == [f"sandbox-member-{{number:06}}" for number in range({rows})])
"""
OPEN_OWN = """
from django.core.management import call_command
call_command("vault", "doctor")
owner = Credential.objects.get(user__email="owner@example.com")
print(credentials.open_stored(owner.pk)[1].reveal())
"""


@dataclass
class Ring:
    """The keys k1 and k2, and an installation's environment with some of them."""

    keys: dict[str, str] = field(default_factory=lambda: {one: Fernet.generate_key().decode() for one in ("k1", "k2")})

    def of(self, *names: str) -> dict[str, str]:
        ring = ",".join(f"{name}:{self.keys[name]}" for name in names)
        return {"PARLEY_MODE": "development", "FIELD_KEYRING": ring}


@dataclass
class Work:
    """People at the API: one lists, one has a key checked (which opens it), one replaces their own all the time."""

    server: Server
    token: str
    times: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    last: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        shared = self._keep("sandbox-shared-0000", shared=True)
        self.last = self._keep_own(0)
        path = f"/api/v1/credentials/{shared}/check/"
        numbers = itertools.count(1)
        errands = (
            lambda http: http.get(f"{self.server.url}/api/v1/credentials/"),
            lambda http: http.post(f"{self.server.url}{path}"),
            lambda http: self._replace(http, next(numbers)),
        )
        self.threads = [threading.Thread(target=self._again, args=(errand,)) for errand in errands]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def _http(self) -> httpx2.Client:
        return httpx2.Client(headers={"Authorization": f"Bearer {self.token}"}, timeout=30)

    def _again(self, errand: Any) -> None:
        with self._http() as http:
            while not self.over.is_set():
                begun = time.perf_counter()
                try:
                    answer = errand(http)
                except httpx2.TransportError as error:
                    self.failed.append(repr(error))
                    continue
                self.times.append(time.perf_counter() - begun)
                if answer.status_code >= 400 or answer.json().get("state", "working") != "working":
                    self.failed.append(answer.text)
                time.sleep(0.02)

    def _replace(self, http: httpx2.Client, number: int) -> httpx2.Response:
        body = {"provider_id": "openai", "secret": f"sandbox-own-{number:06}", "shared": False}
        answer = http.post(f"{self.server.url}/api/v1/credentials/", json=body)
        self.last = body["secret"]
        return answer

    def _keep(self, secret: str, *, shared: bool) -> str:
        with self._http() as http:
            body = {"provider_id": "openai", "secret": secret, "shared": shared}
            answer = http.post(f"{self.server.url}/api/v1/credentials/", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def _keep_own(self, number: int) -> str:
        self._keep(f"sandbox-own-{number:06}", shared=False)
        return f"sandbox-own-{number:06}"


@dataclass
class Figures:
    rows: int
    kills: int = 0
    requests: int = 0
    failed: list[str] = field(default_factory=list)
    slowest: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.rows} rows rotated, {self.kills} kills in the middle; {self.requests} requests meanwhile, "
            f"{len(self.failed)} failed, slowest {self.slowest * 1000:.0f} ms; last rotation {self.seconds:.1f} s"
        )


def drill(home: Path, vendor: Sandbox, database_url: str, *, rows: int, kills: int) -> Figures:
    """Fill, rotate under load with kills, forget the old key, and prove that it opens nothing."""
    ring, figures = Ring(), Figures(rows)
    installation = Installation(home, vendor.url, database_url, extra=ring.of("k1"))
    token = installation.prepare(catalog=False)
    installation.manage("shell", "-c", MEMBERS.format(rows=rows))
    installation.extra = ring.of("k2", "k1")
    with Server(installation) as server:
        work = Work(server, token)
        work.start()
        try:
            kill_rotations(installation, figures, kills)
            begun = time.monotonic()
            installation.manage("vault", "rotate")
            figures.seconds = time.monotonic() - begun
        finally:
            work.stop()
    figures.requests, figures.failed, figures.slowest = len(work.times), work.failed, max(work.times)
    assert "may be left out" in installation.manage("vault", "forget", "k1")
    check_new_key(installation, ring, rows, work.last)
    check_old_key(installation, ring)
    return figures


def kill_rotations(installation: Installation, figures: Figures, kills: int) -> None:
    """Each is killed once it has moved a part, at a random moment; the next takes up what is left."""
    command = [sys.executable, "-m", "tests.faults.rotator"]
    rotator = subprocess.Popen(
        command, cwd=ROOT, env=installation.environment, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True, bufsize=1
    )
    assert rotator.stdin
    assert rotator.stdout
    with rotator, counter(installation) as moved:
        for left in range(kills, 0, -1):
            # A batch at least, and so few that something is left for every kill that is still to come.
            wanted = moved("k2") + random.randint(1, max(1, moved("k1") // (2 * left)))
            rotator.stdin.write("\n")
            child = int(rotator.stdout.readline())
            while moved("k2") < wanted:
                time.sleep(0.001)
            os.kill(child, signal.SIGKILL)
            assert int(rotator.stdout.readline()) == -signal.SIGKILL, "it had ended before it was killed"
            figures.kills += 1
        assert moved("k1"), "something was left for the last rotation"
        rotator.stdin.close()


def check_new_key(installation: Installation, ring: Ring, rows: int, last: str) -> None:
    installation.extra = ring.of("k2")
    check_readable(installation, rows, last)


def check_readable(installation: Installation, rows: int, last: str = "") -> None:
    """Every member's key is what it was, and the owner's, where there is one, what was written last."""
    code = OPEN_MEMBERS.format(rows=rows) + (OPEN_OWN if last else "")
    told = installation.manage("shell", "-c", code).splitlines()
    assert "True" in told
    assert not last or told[-1] == last


def check_old_key(installation: Installation, ring: Ring) -> None:
    """Neither the key alone nor a process that has only that key gets anything out."""
    old = Fernet(ring.keys["k1"])
    for value in sealed_values(installation):
        try:
            old.decrypt(value.partition("$")[2].encode())
        except InvalidToken:
            continue
        raise AssertionError("the old key opened a value")
    installation.extra = ring.of("k1")
    refused = refused_start(installation)
    assert "has values under the key k2, which is not in it" in refused, refused


def refused_start(installation: Installation) -> str:
    """Start a server that must not start; its words."""
    command = [sys.executable, "-m", "uvicorn", "project.asgi:application", "--port", "0", "--log-level", "error"]
    done = subprocess.run(
        command, cwd=ROOT, env=installation.environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode != 0, "it served"
    return done.stderr
