"""Drives keys through the doors of a server: stored, checked, used for answers that all fail, shown, removed."""

import json
import re
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
from websockets.sync.client import connect

from tests.faults.canaries import key_of
from tests.faults.servers import Installation, Server

# Rows that only a person at a console makes: a session with a passkey behind it, and everything else that is sealed.
ROOM = """
import json, time
from allauth.account.internal.userkit import user_id_to_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client
from django.utils import timezone
from accounts import seeds, sealing
from accounts.models import IdentityProvider, User, Workspace
from catalog.models import LanguageModel
from chat.models import McpServer, Specialist
from chat.tools import rows
from tests.accounts.device import SoftDevice
user, workspace = User.objects.get(), Workspace.objects.get()
user.is_superuser = True
user.save()
client = Client()
client.force_login(user)
made = SoftDevice().create({{"publicKey": {{"user": {{"id": "AAAA"}}, "challenge": "AAAA"}}}})
laptop = {{"name": "Laptop", "credential": json.loads(made)}}
passkey = Authenticator.objects.create(user=user, type="webauthn", data=laptop)
session = client.session
session["account_authentication_methods"] = [{{"method": "mfa", "type": "webauthn", "id": passkey.pk,
    "at": time.time(), "reauthenticated": True}}]
session["account_authentication_methods_user"] = user_id_to_str(user)
session.save()
for provider_id in {providers}:
    LanguageModel.objects.create(provider_id=provider_id, model_id="canary", label="Canary",
        last_seen_at=timezone.now())
provider = IdentityProvider(slug="acme", name="Acme", issuer="{upstream}", client_id="parley", enabled=True)
provider.secret = sealing.seal(provider, "{client_secret}")
provider.save()
mcp = McpServer(workspace=workspace, name="Tools", url="{upstream}/mcp")
rows.keep(mcp, "{bearer}", moved=False)
Specialist.objects.create(workspace=workspace, name="Historian", slug="historian", description="Knows dates.",
    model=LanguageModel.objects.get(provider_id="openai"))
codes = RecoveryCodes.activate(user).instance
print(json.dumps({{"cookie": client.cookies["sessionid"].value, "seed": seeds.opened(codes.data["seed"]),
    "mcp": str(mcp.pk)}}))
"""
CONSOLE = ("", "providers/credential/", "accounts/identityprovider/", "chat/mcpserver/", "accounts/auditentry/")
PAGES = (
    "/", "/settings/providers/", "/models/", "/status/", "/structured/", "/documents/", "/specialists/",
    "/settings/usage/", "/settings/accounts/", "/settings/workspace/", "/settings/tokens/",
)  # fmt: skip
# Forms that take a secret: where they are, the secret's field, and what is entered beside it.
FORMS = (
    ("/admin/providers/credential/add/", "key", {"provider_id": "mistral", "label": "Team"}),
    ("/admin/providers/credential/add/", "key", {"provider_id": "mistral", "label": "x" * 1000}),
    ("/admin/accounts/identityprovider/add/", "new_secret", {"slug": "no", "name": "No", "issuer": "not an address"}),
    ("/admin/chat/mcpserver/add/", "token", {"name": "More", "url": "https://tools.example/mcp", "seconds": "30"}),
    ("/admin/chat/mcpserver/add/", "token", {"name": "", "url": "https://tools.example/mcp", "seconds": "x"}),
    ("/settings/providers/mistral/key/", "secret", {}),
    ("/settings/providers/mistral/key/", "secret", {"base_url": "not an address"}),
)
API = ("credentials/", "models/", "conversations/", "health/", "me/", "tools/", "schema")


ENTERED = {
    "csrfmiddlewaretoken": r'name="csrfmiddlewaretoken" value="(\w+)"',
    "workspace": r'<option value="([0-9a-f-]{36})"',
}


class Recorder(httpx2.Client):
    """Keeps every byte that a client receives."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.received = bytearray()

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        response = super().send(request, **options)
        # A session goes to its own browser in a cookie, and nowhere else.
        shown = [(name, value) for name, value in response.headers.items() if name != "set-cookie"]
        self.received += response.read() + str(shown).encode()
        return response


def furnish(installation: Installation, providers: tuple[str, ...], upstream: str, **sealed: str) -> dict[str, str]:
    """Make the rows; the session's cookie, the seed of the recovery codes and the MCP server's id."""
    printed = installation.manage("shell", "-c", ROOM.format(providers=providers, upstream=upstream, **sealed))
    made: dict[str, str] = json.loads(printed.splitlines()[-1])
    return made


class Drive:
    """One visit to a server. `keys` are those that were stored, by provider and fault; `received` is what came back."""

    def __init__(self, server: Server, token: str, upstream: str) -> None:
        self.server, self.token, self.upstream = server, token, upstream
        self.keys: dict[str, str] = {}
        self.received = bytearray()
        self._lock = threading.Lock()

    def recorder(self, **headers: str) -> Recorder:
        return Recorder(headers=headers, timeout=60, follow_redirects=True)

    def keep(self, http: Recorder) -> None:
        http.close()
        with self._lock:
            self.received += http.received

    def fail_everywhere(self, providers: tuple[str, ...], faults: tuple[str, ...]) -> None:
        """Every provider in a thread, every fault at an address of its own: no circuit is open when it comes."""
        with ThreadPoolExecutor(len(providers)) as pool:
            for done in [pool.submit(self._fail, provider_id, faults) for provider_id in providers]:
                done.result()

    def _fail(self, provider_id: str, faults: tuple[str, ...]) -> None:
        http = self.recorder(Authorization=f"Bearer {self.token}")
        for fault in faults:
            key = key_of(provider_id)
            self.keys[f"{provider_id} {fault}"] = key
            base = f"{self.upstream}/f/{fault}" + ("" if provider_id in {"anthropic", "gemini"} else "/v1")
            body = {"provider_id": provider_id, "secret": key, "shared": True, "base_url": base}
            stored = http.post(f"{self.server.url}/api/v1/credentials/", json=body)
            assert stored.status_code == 201, stored.text
            self._run(http, f"{provider_id}/canary")
        http.get(f"{self.server.url}/api/v1/credentials/{stored.json()['id']}/")
        self.keep(http)

    def _run(self, http: Recorder, model: str, **more: Any) -> None:
        body = {"context": "chat", "input": "Hello", "model": model, **more}
        self._fails(http, http.post(f"{self.server.url}/api/v1/runs/", json=body))

    def _fails(self, http: Recorder, answer: httpx2.Response) -> None:
        assert answer.status_code == 202, answer.text
        run = answer.json()
        events = http.get(f"{self.server.url}{urllib.parse.urlsplit(run['events_url']).path}").text
        assert "event: error" in events, events
        http.get(f"{self.server.url}/api/v1/runs/{run['id']}/")

    def api(self, mcp: str) -> None:
        """One's own keys, which go to the installation's addresses; the other flows; tools; what is refused."""
        http = self.recorder(Authorization=f"Bearer {self.token}")
        for provider_id in ("openai", "gemini"):
            key = self.keys[f"{provider_id} own"] = key_of(provider_id)
            body = {"provider_id": provider_id, "secret": key, "shared": False}
            stored = http.post(f"{self.server.url}/api/v1/credentials/", json=body).json()
            http.post(f"{self.server.url}/api/v1/credentials/{stored['id']}/check/")
            self._run(http, f"{provider_id}/canary", server_tools=[f"mcp:{mcp}"])
        for name in API:
            http.get(f"{self.server.url}/api/v1/{name}")
        schema = {"type": "object", "properties": {}, "additionalProperties": False}
        asked = {"model": "openai/canary", "input": "x", "schema": schema, "schema_name": "nothing"}
        http.post(f"{self.server.url}/api/v1/structured/", json=asked)
        self._flows(http)
        http.post(f"{self.server.url}/api/v1/credentials/", content=json.dumps({"secret": [key]}))
        http.post(f"{self.server.url}/api/v1/credentials/", json={"provider_id": key, "secret": key, "base_url": key})
        http.delete(f"{self.server.url}/api/v1/credentials/{stored['id']}/")
        self.keep(http)

    def _flows(self, http: Recorder) -> None:
        """Documents, a summary, an orchestrator with a specialist, and the door that speaks as OpenAI does."""
        notes = {"file": ("notes.txt", b"Leases. " * 200)}
        kept = http.post(f"{self.server.url}/api/v1/documents/", files=notes).json()
        address = f"{self.server.url}/api/v1/documents/{kept['id']}/"
        deadline = time.monotonic() + 30
        while http.get(address).json()["state"] != "ready":
            assert time.monotonic() < deadline, http.get(address).text
            time.sleep(0.1)
        for task in ({"task": "summary"}, {"task": "question", "question": "What is a lease?"}):
            self._fails(http, http.post(f"{address}runs/", json=task | {"model": "openai/canary"}))
        self._run(http, "openai/canary", context="orchestration")
        talk = http.get(f"{self.server.url}/api/v1/conversations/").json()["results"][0]["id"]
        self._fails(http, http.post(f"{self.server.url}/api/v1/conversations/{talk}/summary/", json={}))
        said = [{"role": "user", "content": "Hello"}]
        for door, body in (("chat/completions", {"messages": said}), ("responses", {"input": said})):
            for stream in (False, True):
                asked = {"model": "openai/canary", "stream": stream, **body}
                answer = http.post(f"{self.server.url}/v1/{door}", json=asked)
                assert "error" in answer.text, answer.text

    def sessions(self) -> None:
        """A pasted token, and workload identities whose token endpoint gives a token or fails."""
        http = self.recorder(Authorization=f"Bearer {self.token}")
        ids = {"identity_provider_id": "idp_1", "service_account_id": "sa_1"}
        asked: dict[str, dict[str, Any]] = {"pasted": {"shared": False, "account": "Canary"}}
        for name, path in (("exchanged", "/token"), ("not exchanged", "/f/500/token")):
            exchange = {**ids, "endpoint": f"{self.upstream}{path}"}
            asked[name] = {"shared": True, "method": "workload_identity", "exchange": exchange}
        for name, body in asked.items():
            key = self.keys[f"session {name}"] = key_of("mistral")
            sent = body | {"provider_id": "openai", "secret": key}
            stored = http.post(f"{self.server.url}/api/v1/credentials/sessions/", json=sent)
            assert stored.status_code == 201, stored.text
            self._run(http, "openai/canary")
            http.post(f"{self.server.url}/api/v1/credentials/{stored.json()['id']}/check/")
            if not body["shared"]:
                http.delete(f"{self.server.url}/api/v1/credentials/{stored.json()['id']}/")
        self.keep(http)

    def forms(self, cookie: str) -> None:
        """What is refused on the settings page is repeated there, apart from the secret; and the Codex login's key."""
        http = self.recorder(Cookie=f"sessionid={cookie}")
        page = http.get(f"{self.server.url}/settings/providers/")
        token = page.cookies["csrftoken"]
        http.headers.update({"Cookie": f"sessionid={cookie}; csrftoken={token}", "X-CSRFToken": token})
        for place in ("key", "session", "workload-identity"):
            key = self.keys[f"form {place}"] = key_of("mistral")
            sent = {"secret": key, "base_url": "nowhere", "endpoint": "nowhere", "expires_at": "1", "shared": "1"}
            answer = http.post(f"{self.server.url}/settings/providers/openai/{place}/", data=sent)
            assert answer.status_code == 422, answer.text[:300]
        assert "Import the key" in http.get(f"{self.server.url}/settings/providers/codex/").text
        assert http.post(f"{self.server.url}/settings/providers/codex/import/").status_code == 200
        self.keep(http)

    def pages(self, cookie: str) -> None:
        """Pages, the console and the socket of the person whose session it is."""
        http = self.recorder()
        http.cookies.set("sessionid", cookie)
        console = [f"/admin/{name}" for name in CONSOLE]
        for path in (*PAGES, *console):
            answer = http.get(f"{self.server.url}{path}")
            assert answer.status_code == 200, path
        http.get(f"{self.server.url}/accounts/oidc/acme/login/")
        rows = http.get(f"{self.server.url}/api/v1/credentials/").json()
        for row in rows.get("results", rows) if isinstance(rows, dict) else rows:
            for page in ("change", "history"):
                shown = http.get(f"{self.server.url}/admin/providers/credential/{row['id']}/{page}/")
                assert shown.status_code == 200, shown.text[:300]
        self._write(http)
        talks = http.get(f"{self.server.url}/api/v1/conversations/").json()["results"]
        self.keep(http)
        self._listen(cookie, [talk["id"] for talk in talks[:3]])

    def _write(self, http: Recorder) -> None:
        """Secrets that are entered in forms, taken and refused; a code by mail; an export of the audit."""
        page = http.get(f"{self.server.url}/admin/providers/credential/add/").text
        found = {name: re.search(form, page) for name, form in ENTERED.items()}
        beside = {name: match[1] for name, match in found.items() if match}
        assert beside.keys() == ENTERED.keys(), page
        for number, (path, name, fields) in enumerate(FORMS):
            key = self.keys[f"form {number}"] = key_of("mistral")
            answer = http.post(f"{self.server.url}{path}", data=beside | fields | {name: key})
            assert answer.status_code in {200, 422}, answer.text
        visitor = self.recorder()
        page = visitor.get(f"{self.server.url}/accounts/login/").text
        token = re.search(ENTERED["csrfmiddlewaretoken"], page)
        assert token
        asked = {"login": "owner@example.com", "csrfmiddlewaretoken": token[1]}
        assert visitor.post(f"{self.server.url}/accounts/login/", data=asked).status_code == 200
        self.keep(visitor)

    def _listen(self, cookie: str, talks: list[str]) -> None:
        address = self.server.url.replace("http", "ws", 1) + "/ws/stream/"
        headers = {"Cookie": f"sessionid={cookie}"}
        heard = bytearray()
        with connect(address, origin=self.server.url, additional_headers=headers) as socket:  # type: ignore[arg-type]
            frames = [{"t": "watch_health"}, {"t": "ping"}]
            since = "2020-01-01T00:00:00Z"
            frames += [{"t": "watch", "conversation": talk, "since": since} for talk in talks]
            for frame in frames:
                socket.send(json.dumps(frame))
            try:
                while True:
                    heard += str(socket.recv(timeout=2)).encode()
            except TimeoutError:
                pass
        assert heard, "the socket said something"
        self.received += heard
