"""Every way to an adapter asks the rules: each place in the source that can reach one is known here, and each address
that starts a run, driven with everything denied, ends in `policy_denied` without a single call to a provider.

Somebody who adds an address that writes in the chat, or a module that reaches an adapter, is asked here what it does.
"""

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.test import Client

from accounts.policies import Actor
from catalog.models import Rule
from chat import children, runs
from chat.execution import begin, route
from chat.flows import FLOWS
from chat.models import Attachment, AttachmentPage, Conversation, Message, Run, StreamEvent
from chat.protocol import Command
from providers.errors import ErrorCode, ProviderError
from tests.chat.doors.conftest import bearer
from tests.chat.engine.conftest import running, upstream, vendor
from tests.chat.engine.rows import read_all
from tests.faults.servers import Sandbox
from tests.guards.authorization import api, pages
from tests.guards.source import APPS, modules, name, tree
from tests.providers.people import page_client

__all__ = ["running", "upstream", "vendor"]

# Modules that name what reaches an adapter, and why they may.
REACH = {"stream", "runtime", "adapter", "generate", "stream_generate", "validate_credential", "list_models"}
REACHING = {
    "chat/execution.py": "drives a plan, which is empty when the rules deny",
    "chat/gateway/passing.py": "drives a plan, which is empty when the rules deny",
    "catalog/sync.py": "reads the providers' lists; no model answers",
    "providers/checks.py": "asks whether a key is accepted; no model answers, nothing is billed",
    "providers/drills/bed.py": "asks a sandbox of its own; no vendor and nobody's key",
    "providers/runtime.py": "drives what it is given, and prewarms adapters with a wire of its own",
    "providers/registry.py": "knows where the adapters are",
    "providers/halves.py": "half of a contract for the other",
}

# A flow's own function is called `generate` as well.
FLOWS_OWN = ("self.", "structured.", "summary.", "documents.", "titles.")

# Addresses that start a run. Everything else that writes in the chat starts none.
STARTING = {
    "chat:new", "chat:conversation", "chat:act", "chat:summarise", "chat:structured", "chat:document",
    "chat:document-act", "chat_api:runs", "chat_api:summary", "chat_api:structured", "chat_api:document-runs",
    "gateway:chat-completions", "gateway:responses",
}  # fmt: skip
WRITING_ONLY = {
    "chat:model", "chat:rename", "chat:context", "chat:delete", "chat:structured-stop", "chat:documents",
    "chat:document-delete", "chat:attachment-remove", "chat_api:conversations", "chat_api:conversation",
    "chat_api:compaction", "chat_api:specialists", "chat_api:specialist", "chat_api:attachments",
    "chat_api:attachment", "chat_api:documents", "chat_api:document", "chat_api:run-tool-results",
    "chat_api:run-stop", "chat_api:explain",
}  # fmt: skip
MODEL = "openai/gpt-sandbox"
SCHEMA = '{"type": "object"}'


# ---------------------------------------------------------------- in the source
def reached(module: ast.Module) -> Iterator[str]:
    """What of the runtime and the registry a module calls or imports by name, and methods of adapters that it calls."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module in {"providers.runtime", "providers.registry"}:
            yield from (one.name for one in node.names if one.name in REACH)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("providers.adapters"):
            yield node.module or ""
        if isinstance(node, ast.Attribute) and node.attr in REACH - {"stream"}:
            owner = ast.unparse(node.value)
            if node.attr not in {"runtime", "adapter"} or owner in {"registry", "runtime"}:
                yield f"{owner}.{node.attr}"


def test_every_module_that_reaches_an_adapter_is_known() -> None:
    ours = [path for path in modules(*APPS) if not name(path).startswith("providers/adapters/")]
    found = {name(path) for path in ours if {one for one in reached(tree(path)) if not one.startswith(FLOWS_OWN)}}
    assert found - set(REACHING) == set()
    assert "chat/execution.py" in found


def test_the_guard_sees_what_it_is_for() -> None:
    bad = "from providers.runtime import stream\nawait registry.runtime('openai').generate(c, r)\n"
    assert sorted(reached(ast.parse(bad))) == ["registry.runtime", "registry.runtime('openai').generate", "stream"]


def test_every_address_of_the_chat_that_writes_is_known() -> None:
    lines = pages.LINES | api.LINES
    writing = {
        each
        for each, found in lines.items()
        if each.startswith(("chat:", "chat_api:", "gateway:"))
        and {"POST", "PUT", "PATCH", "DELETE"} & set(methods(found))
    }
    assert writing == STARTING | WRITING_ONLY
    assert not STARTING & WRITING_ONLY


def methods(lines: list[Any]) -> Iterator[str]:
    for line in lines:
        yield from line.methods


def test_the_socket_reads_and_stops_and_starts_nothing() -> None:
    (consumers,) = (path for path in modules("chat") if path.name == "consumers.py")
    called = {ast.unparse(node.func) for node in ast.walk(tree(consumers)) if isinstance(node, ast.Call)}
    asked = {ast.unparse(one) for node in ast.walk(tree(consumers)) if isinstance(node, ast.Call) for one in node.args}
    assert "runs.start" not in called | asked
    assert "runs.stop" in called | asked


# ---------------------------------------------------------------- driven
@pytest.fixture
def denied(running: Sandbox, alice: Actor, settings: Any) -> Sandbox:
    """Everything answers, and a rule denies all of it."""
    Rule.objects.create(workspace_id=alice.workspace_id, effect="deny", reason="Nothing today.")
    return running


@pytest.fixture
def world(alice: Actor) -> dict[str, Any]:
    """A conversation with an answer, a document that is read, and an earlier question about it."""
    whose = {"workspace_id": alice.workspace_id, "owner_id": alice.user_id}
    talk = Conversation.objects.create(title="Talk", **whose)
    asked = Message.objects.create(conversation=talk, role="user", parts=[{"type": "text", "text": "Hello"}])
    told = [{"type": "text", "text": "Hi"}]
    answer = Message.objects.create(conversation=talk, parent=asked, role="assistant", parts=told)
    Conversation.objects.filter(pk=talk.pk).update(leaf=answer)
    document = Attachment.objects.create(
        purpose="document", filename="a.txt", kind="text", media_type="text/plain", size=5, state="ready",
        page_count=1, token_estimate=5, file=ContentFile(b"Hello", name="a.txt"), **whose,
    )  # fmt: skip
    AttachmentPage.objects.create(attachment=document, number=1, text="Hello")
    earlier = Run.objects.create(
        stream_id="00000000-0000-4000-8000-000000000001", branch="00000000-0000-4000-8000-000000000001",
        workspace_id=alice.workspace_id, user_id=alice.user_id, document=document, context="doc", state="done",
        input={"task": "summary", "question": ""},
    )  # fmt: skip
    return {"talk": talk.pk, "asked": asked.pk, "answer": answer.pk, "document": document.pk, "earlier": earlier.pk}


DRIVES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat:new": ("/", {"text": "Hello"}),
    "chat:conversation": ("/c/{talk}/", {"text": "Hello"}),
    "chat:act": ("/c/{talk}/act/", {"do": "answer:{asked}"}),
    "chat:summarise": ("/c/{talk}/summary/", {"key": "k"}),
    "chat:structured": ("/structured/", {"schema": SCHEMA, "input": "Ada"}),
    "chat:document": ("/documents/{document}/", {"question": "What is it?", "task": "question"}),
    "chat:document-act": ("/documents/{document}/act/", {"do": "again:{earlier}"}),
    "chat_api:runs": ("/api/v1/runs/", {"input": "Hello"}),
    "chat_api:summary": ("/api/v1/conversations/{talk}/summary/", {}),
    "chat_api:structured": ("/api/v1/structured/", {"input": "Ada", "schema": {"type": "object"}}),
    "chat_api:document-runs": ("/api/v1/documents/{document}/runs/", {"task": "summary"}),
}
# These pass an answer through: they are refused at once.
PASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "gateway:chat-completions": (
        "/v1/chat/completions",
        {"model": "gemini/gemini-sandbox-flash", "messages": [{"role": "user", "content": "Hello /tokens 3"}]},
    ),
    "gateway:responses": ("/v1/responses", {"model": "gemini/gemini-sandbox-flash", "input": "Hello /tokens 3"}),
}


def test_every_address_that_starts_a_run_is_driven() -> None:
    assert {*DRIVES, *PASSES} == STARTING


def settled(before: set[Any]) -> list[Run]:
    """The runs that were started since, once they have ended."""
    fresh = list(Run.objects.exclude(pk__in=before))
    for run in fresh:
        async_to_sync(read_all)(run.stream_id)
    return list(Run.objects.filter(pk__in=[run.pk for run in fresh]))


def post(actor: Actor, address: str, body: dict[str, Any]) -> int:
    if address.startswith("/api/"):
        return int(Client().post(address, body, "application/json", headers=bearer(actor)).status_code)
    return int(page_client(actor).post(address, body).status_code)


@pytest.mark.django_db(transaction=True)
def test_what_is_denied_is_refused_everywhere_and_nobody_is_called(
    denied: Sandbox, alice: Actor, world: dict[str, Any]
) -> None:
    before = len(denied.requests())
    for name_, (address, body) in DRIVES.items():
        known = set(Run.objects.values_list("pk", flat=True))
        filled = {key: value.format(**world) if key == "do" else value for key, value in body.items()}
        status = post(alice, address.format(**world), filled)
        started = settled(known)
        assert [run.error.get("code") for run in started] == ["policy_denied"], (name_, status)
        assert started[0].error["message"] == "Nothing today.", name_
        assert (started[0].state, started[0].served_model) == ("failed", ""), name_
    for address, body in PASSES.values():
        answer = Client().post(address, body, "application/json", headers=bearer(alice))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "policy_denied"), address
    assert len(denied.requests()) == before


def child(parent: Run, what: dict[str, Any], context: str) -> Run:
    return children.create(parent, "nobody", context=context, input=what)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("context", "what"),
    [
        (
            "orchestration",
            {"specialist": "Writer", "instructions": "", "tools": [], "task": "Write", "tool_call_id": "c"},
        ),
        ("summary", {"what": "compaction", "upto": "{answer}", "words": 100}),
        ("summary", {"what": "title", "answer": "{answer}", "replaces": "Talk"}),
        *((context, {}) for context in FLOWS),
    ],
    ids=["specialist", "compaction", "title", *FLOWS],
)
def test_runs_that_other_runs_call_for_are_refused_too(
    denied: Sandbox, alice: Actor, world: dict[str, Any], context: str, what: dict[str, Any]
) -> None:
    before = len(denied.requests())
    parent = runs.start(alice, Command(text="Hello"))
    run = child(parent, {key: str(value).format(**world) for key, value in what.items()}, context)
    where = route(run)
    assert (where.attempts, where.error) == ((), ErrorCode.POLICY_DENIED)
    with pytest.raises(ProviderError, match="Nothing today"):
        begin(run, Silent(), where)  # type: ignore[arg-type]
    async_to_sync(read_all)(parent.stream_id)
    assert len(denied.requests()) == before
    assert StreamEvent.objects.filter(run=parent, event_type="error").exists()


class Silent:
    """A journal that nobody reads."""

    def add(self, event_type: str, data: dict[str, Any]) -> None:
        assert (event_type, data["state"]) == ("status", "started")


@pytest.mark.django_db(transaction=True)
def test_without_the_rule_the_same_addresses_do_call(running: Sandbox, alice: Actor) -> None:
    before = len(running.requests())
    known = set(Run.objects.values_list("pk", flat=True))
    assert post(alice, "/api/v1/runs/", {"input": "Hello /tokens 3"}) == 202
    assert [run.state for run in settled(known)] == ["done"]
    for address, body in PASSES.values():
        assert Client().post(address, body, "application/json", headers=bearer(alice)).status_code == 200, address
    assert len(running.requests()) > before + 2
