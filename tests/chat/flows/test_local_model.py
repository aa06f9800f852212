"""A real model on this machine behind the API: a chat, a validated object, and a run with tools."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.policies import Actor
from catalog.models import LanguageModel
from catalog.sync import sync_all
from chat import runner
from chat.audit_streams import faults
from chat.models import Run
from chat.protocol import Entry, fold
from tests.chat.doors.conftest import bearer
from tests.chat.engine.rows import read_all
from tests.chat.tools.test_waiting import WEATHER
from tests.faults.servers import ROOT

pytestmark = [pytest.mark.local_model, pytest.mark.django_db(transaction=True)]

KEY = "a-key-of-our-own"
PERSON = {
    "type": "object",
    "properties": {"name": {"enum": ["Ada", "Grace"]}, "born": {"type": "integer", "minimum": 1800, "maximum": 1999}},
    "required": ["name", "born"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = str(tmp_path_factory.mktemp("home"))
    environ = os.environ | {"PARLEY_HOME": home, "PARLEY_LOCAL_MODEL_KEY": KEY}
    command = [sys.executable, "manage.py", "local_model", "--json", "--lifeline"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["base_url"]
        finally:
            process.stdin.close()


@pytest.fixture
def model(address: str, settings: Any) -> Iterator[str]:
    """Its key in the catalog, with a runner at work and the abilities that an administrator states."""
    settings.SANDBOX_URL = ""
    settings.PROVIDER_KEYS = {"openai_compatible": KEY}
    settings.PROVIDER_BASE_URLS = {**settings.PROVIDER_BASE_URLS, "openai_compatible": address}
    async_to_sync(sync_all)()
    row = LanguageModel.objects.get(provider_id="openai_compatible")
    LanguageModel.objects.update(supports_tools=True, supports_structured=True)
    runner.start_in_background()
    yield row.key
    runner.drain(0)


@pytest.fixture
def post(alice: Actor) -> Callable[..., Any]:
    def send(path: str, body: dict[str, Any]) -> Any:
        return Client().post(f"/api/v1/{path}", body, content_type="application/json", headers=bearer(alice))

    return send


def ended(run_id: str) -> tuple[Run, list[Entry]]:
    run = Run.objects.get(pk=run_id)
    entries = async_to_sync(read_all)(run.stream_id, seconds=120)
    run.refresh_from_db()
    assert run.state == Run.State.DONE, run.error
    assert list(faults()) == []
    return run, entries


def test_it_answers_in_a_chat(model: str, post: Callable[..., Any]) -> None:
    accepted = post("runs/", {"input": "Say hello in three words.", "model": model, "server_tools": []})
    run, entries = ended(accepted.json()["id"])
    assert (run.served_model, run.credential_source) == (model, "environment")
    assert fold(entries)[0]["text"].strip()
    assert run.usage["output_tokens"] > 0


def test_it_makes_an_object_that_fits(model: str, post: Callable[..., Any]) -> None:
    accepted = post("structured/", {"input": "Ada Lovelace was born in 1815.", "schema": PERSON, "model": model})
    run, entries = ended(accepted.json()["id"])
    assert run.output["value"]["name"] in {"Ada", "Grace"}
    assert 1800 <= run.output["value"]["born"] <= 1999
    assert not [entry for entry in entries if entry.data.get("state") in {"downgraded", "repair"}]


def test_it_takes_tools_and_answers(model: str, post: Callable[..., Any]) -> None:
    """Its template leaves tools out of the prompt, so it answers in words; what matters is that nothing breaks."""
    body = {"input": "Say hello in three words.", "model": model, "server_tools": ["clock"], "tools": [WEATHER]}
    accepted = post("runs/", body)
    run, entries = ended(accepted.json()["id"])
    assert "tools_off" not in run.trace
    assert fold(entries)[0]["text"].strip()
