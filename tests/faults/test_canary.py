"""Keys with unique values are stored and used while every upstream answer repeats them: then they are searched for
in every log, response, dump and file. Nothing may hold one."""

import base64
import json
import urllib.parse
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.client import Client
from tests.faults.echo import STATUSES, Echo, echoing
from tests.faults.servers import Installation, Server

pytestmark = pytest.mark.drill

CANARIES = {
    "environment": "sk-proj-CANARYenvironmentAAAA1111bbbb2222cccc",
    "gemini": "AIzaCANARYgeminiDDDD3333eeee4444ffff55556",
    "own": "sk-CANARYownGGGG7777hhhh8888iiii9999jjjj",
    "workspace": "AIzaCANARYworkspaceKKKK0000llll1111mmmm",
}


def forms(secret: str) -> set[bytes]:
    """The secret as it may have been written, and the halves of it."""
    middle = len(secret) // 2
    shapes = {secret, secret[:middle], secret[middle:], urllib.parse.quote(secret), secret[::-1]}
    encoded = {base64.b64encode(secret.encode()), secret.encode().hex().encode()}
    return {shape.encode() for shape in shapes} | encoded


class Recorder(httpx2.Client):
    """Keeps every byte that a client receives."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.received = bytearray()

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        response = super().send(request, **options)
        self.received += response.read() + str(response.headers).encode()
        return response


def test_no_canary_sings(tmp_path: Path) -> None:
    with echoing() as upstream:
        keys = {"OPENAI_API_KEY": CANARIES["environment"], "GEMINI_API_KEY": CANARIES["gemini"]}
        bases = {"OPENAI_BASE_URL": f"{upstream}/v1", "GEMINI_BASE_URL": upstream, "LOG_LEVEL": "DEBUG"}
        installation = Installation(tmp_path, "", extra=keys | bases)
        token = installation.prepare(catalog=False)
        with Server(installation) as server:
            responses = drive(installation, server, token)
    dumped = installation.manage("dumpdata").encode()
    printed = installation.manage("check").encode()
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".json"}
    sinks = {"responses": responses, "dumpdata": dumped, "check": printed} | {str(path): files[path] for path in files}
    hits = [
        (name, sink)
        for name, secret in CANARIES.items()
        for sink, held in sinks.items()
        for f in forms(secret)
        if f in held
    ]
    assert hits == []
    assert Echo.keys >= set(CANARIES.values()), "every key was really used"
    assert any(path.suffix == ".sqlite3" for path in files), "the database was searched"
    assert any(path.suffix == ".log" and files[path] for path in files), "the log was searched"


def drive(installation: Installation, server: Server, token: str) -> bytes:
    """Store, check, use, fail and show the keys in every way a client can; everything that came back."""
    client = Client(token)
    client.http.close()
    client.http = http = Recorder(headers={"Authorization": f"Bearer {token}"}, timeout=30)
    add_models(installation)
    stored = []
    for provider_id, name in (("openai", "own"), ("gemini", "workspace")):
        body = {"provider_id": provider_id, "secret": CANARIES[name], "shared": name == "workspace"}
        answer = http.post(f"{server.url}/api/v1/credentials/", json=body)
        assert answer.status_code == 201, answer.text
        stored.append(answer.json()["id"])
    for model in ("openai/canary", "gemini/canary"):
        for _ in STATUSES:
            run = client.send(server.url, input="Hello", model=model).json()
            events = http.get(f"{server.url}{urllib.parse.urlsplit(run['events_url']).path}").text
            assert "event: error" in events
            client.run(server.url, run["id"])
    for credential_id in stored:
        http.post(f"{server.url}/api/v1/credentials/{credential_id}/check/")
        http.get(f"{server.url}/api/v1/credentials/{credential_id}/")
    pages = ("credentials/", "models/", "conversations/", "schema")
    for page in pages:
        http.get(f"{server.url}/api/v1/{page}")
    http.post(f"{server.url}/api/v1/credentials/", content=json.dumps({"secret": [CANARIES["own"]]}))
    http.close()
    return bytes(http.received)


def add_models(installation: Installation) -> None:
    """Catalog rows that an unreachable list could not give."""
    code = (
        "from django.utils import timezone; from catalog.models import LanguageModel as M\n"
        "[M.objects.create(provider_id=p, model_id='canary', label=p, last_seen_at=timezone.now()) "
        "for p in ('openai', 'gemini')]"
    )
    installation.manage("shell", "-c", code)
