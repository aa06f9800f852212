"""Every vendor's own SDK against the sandbox over the API: a chat with a tool, its stream, and a validated object."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.policies import Actor
from chat.models import Run
from chat.protocol import fold
from providers import registry
from tests.chat.doors.conftest import bearer
from tests.chat.engine.conftest import running, upstream, vendor
from tests.chat.engine.rows import read_all
from tests.chat.flows.conftest import CONTACT
from tests.faults.servers import Sandbox

__all__ = ["running", "upstream", "vendor"]

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = {
    "openai": ("gpt-sandbox", "/v1/responses"),
    "anthropic": ("claude-sandbox-haiku", "/v1/messages"),
    "gemini": ("gemini-sandbox-flash", ":streamGenerateContent"),
    "mistral": ("mistral-sandbox-small", "/chat/completions"),
    "openai_compatible": ("compatible-sandbox", "/chat/completions"),
}


@pytest.fixture
def post(alice: Actor) -> Callable[..., Any]:
    def send(path: str, body: dict[str, Any]) -> Any:
        return Client().post(f"/api/v1/{path}", body, content_type="application/json", headers=bearer(alice))

    return send


def test_no_provider_is_forgotten_here() -> None:
    assert set(MODELS) == set(registry.providers())


@pytest.mark.parametrize("provider_id", MODELS)
def test_a_chat_and_a_validated_object_with_each_vendor(
    running: Sandbox, alice: Actor, post: Callable[..., Any], provider_id: str
) -> None:
    model_id, end = MODELS[provider_id]
    model = f"{provider_id}/{model_id}"
    tools = {"server_tools": ["clock"]} if provider_id != "openai_compatible" else {}
    accepted = post("runs/", {"input": 'Use clock for "Europe/Oslo"', "model": model, **tools})
    assert accepted.status_code == 202, accepted.json()
    run = Run.objects.get(pk=accepted.json()["id"])
    entries = async_to_sync(read_all)(run.stream_id)
    shown = Client().get(f"/api/v1/runs/{run.pk}/", headers=bearer(alice)).json()
    assert (shown["state"], shown["requested_model"], shown["served_model"]) == ("done", model, model), shown
    assert (shown["credential_source"], shown["trace"]["attempts"][0]["outcome"]) == (
        "sandbox",
        "answered",
    )
    assert shown["usage"]["output_tokens"] > 0
    if tools:
        results = [part["result"] for part in fold(entries) if part["type"] == "tool_call"]
        assert "(Europe/Oslo)" in results[0]
    last = running.requests()[-1]
    assert (last["provider"], last["path"].endswith(end), last["model"]) == (provider_id, True, model_id)

    value = post("structured/?wait=1", {"input": "Who is Ada?", "schema": CONTACT, "model": model}).json()
    assert set(value["value"]) == {"name", "age"}, value
    last = running.requests()[-1]
    assert (last["provider"], last["path"].endswith(end)) == (provider_id, True)
    assert "minimum" in json.dumps(last["body"]) or "age" in json.dumps(last["body"])
