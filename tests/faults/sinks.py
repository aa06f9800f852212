"""The canary drill: an installation full of unique secrets, driven, and everything it wrote, searched."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.faults import canaries
from tests.faults.driven import Drive, furnish
from tests.faults.echo import Echo, echoing
from tests.faults.servers import Installation, Server

COMMANDS = """
from django.core.management import call_command
for words in ("dumpdata", "check", "vault doctor", "verify_audit", "verify_streams"):
    call_command(*words.split())
"""


@dataclass(frozen=True, slots=True)
class Searched:
    """`failures` counts provider and fault of the answers that failed upstream; `sizes` are the sinks, in bytes."""

    secrets: int
    failures: int
    sizes: dict[str, int]
    hits: list[tuple[str, str]]

    def __str__(self) -> str:
        total = sum(self.sizes.values()) / 2**20
        return (
            f"{self.secrets} secrets, {self.failures} upstream failures, {len(self.sizes)} sinks "
            f"with {total:.1f} MiB searched: {len(self.hits)} hits"
        )


def sing(
    home: Path, providers: tuple[str, ...], faults: tuple[str, ...], database_url: str = "", redis_url: str = ""
) -> Searched:
    # A login of another program is where that program keeps it, and nothing of ours.
    with echoing() as upstream, listening(home, redis_url), tempfile.TemporaryDirectory() as codex:
        own = canaries.ours()
        login = canaries.key_of("openai")
        (Path(codex) / "auth.json").touch(0o600)
        (Path(codex) / "auth.json").write_text(json.dumps({"OPENAI_API_KEY": login}))
        (home / "tmp").mkdir()
        settings = {
            "PARLEY_MODE": "development",
            "OPENAI_BASE_URL": f"{upstream}/v1",
            "GEMINI_BASE_URL": upstream,
            "LOG_LEVEL": "DEBUG",
            "TMPDIR": str(home / "tmp"),
            "AUTO_TITLES": "1",
            "PARLEY_WORKLOAD_IDENTITY": "1",
            "PARLEY_CODEX_LOGIN": "1",
            "PARLEY_CODEX_HOME": codex,
        }
        installation = Installation(home, "", database_url, redis_url, extra=own | settings)
        token = installation.prepare(catalog=False)
        sealed = {"client_secret": canaries.key_of("mistral"), "bearer": canaries.key_of("mistral")}
        made = furnish(installation, providers, upstream, **sealed)
        with Server(installation) as server:
            drive = Drive(server, token, upstream)
            drive.fail_everywhere(providers, faults)
            drive.api(made["mcp"])
            drive.sessions()
            drive.forms(made["cookie"])
            drive.pages(made["cookie"])
    failed = {name for name, key in drive.keys.items() if (name.partition(" ")[2], key) in Echo.served}
    assert {own["OPENAI_API_KEY"], own["GEMINI_API_KEY"]} <= Echo.keys, "the installation's own keys were used"
    exchanged = drive.keys["session exchanged"]
    assert {drive.keys["session pasted"], Echo.issued[exchanged], login} <= Echo.keys, "sessions were really used"
    sinks = everything(installation, bytes(drive.received))
    held = drive.keys | own | sealed | {"seed": made["seed"], "token": token}
    held |= {"login": login, "fetched": Echo.issued[exchanged]}
    held["FIELD_KEYRING"] = own["FIELD_KEYRING"].partition(":")[2]
    # Where sessions are kept is where their ids are: only that table may hold one.
    elsewhere = {name: text for name, text in sinks.items() if "database" not in name}
    found = canaries.hits(held, sinks) + canaries.hits({"session": made["cookie"]}, elsewhere)
    sizes = {name: len(text) for name, text in sinks.items()}
    return Searched(len(held) + 1, len(failed), sizes, found)


@contextmanager
def listening(home: Path, redis_url: str) -> Iterator[None]:
    """Every command that Redis is given, in a file of the installation's home."""
    if not redis_url:
        yield
        return
    port = str(urlsplit(redis_url).port)
    with (home / "redis-monitor").open("wb") as heard:
        monitor = subprocess.Popen(["redis-cli", "-p", port, "MONITOR"], stdout=heard)
        try:
            yield
        finally:
            monitor.terminate()
            monitor.wait(10)


def everything(installation: Installation, responses: bytes) -> dict[str, bytes]:
    """What came back, what commands print, and every file: logs, media, temporary files, the database."""
    sinks = {
        "responses": responses,
        "database and audit, as commands print them": installation.manage("shell", "-c", COMMANDS).encode(),
    }
    for path in installation.home.rglob("*"):
        if path.is_file():
            name = "database" if ".sqlite3" in path.name else "file"
            sinks[f"{name} {path.relative_to(installation.home)}"] = path.read_bytes()
    if installation.database_url:
        dumped = subprocess.run(["pg_dump", installation.database_url], capture_output=True, check=True)
        sinks["database dump"] = dumped.stdout
    return sinks
