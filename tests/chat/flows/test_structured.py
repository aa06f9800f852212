"""A value that fits a schema, from providers of the sandbox: streamed, checked, repaired once, or refused in words."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat import structured
from chat.audit_streams import faults
from chat.models import Run
from chat.structured import Asking
from tests.chat.doors.conftest import bearer
from tests.chat.engine.rows import read_all, stored
from tests.chat.flows.conftest import CONTACT, IMPOSSIBLE
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
type Post = Callable[..., Any]


def first_model(provider_id: str) -> str:
    models = LanguageModel.objects.filter(provider_id=provider_id, sandbox=True).exclude(model_id__contains="embed")
    return models.order_by("model_id")[0].key


def states(run: Run) -> list[str]:
    return [entry.data["state"] for entry in stored(run) if entry.event_type == "status"]


@pytest.mark.parametrize("provider_id", ["openai", "gemini", "openai_compatible"])
def test_a_value_streams_and_fits_its_schema(running: Sandbox, alice: Actor, post: Post, provider_id: str) -> None:
    key = first_model(provider_id)
    answer = post(alice, {"model": key, "input": "Who is Ada?", "schema": CONTACT})
    assert answer.status_code == 200, answer.content
    result = answer.json()
    assert (result["state"], result["valid"], result["context"]) == ("done", True, "structured")
    assert set(result["value"]) == {"name", "age"}
    assert result["attempts"] == [{"raw": result["raw"], "faults": []}]
    assert (result["conversation"], result["message"], result["served_model"]) == (None, None, key)
    run = Run.objects.get(pk=result["id"])
    deltas = [entry.data for entry in stored(run) if entry.event_type == "content_delta"]
    assert "".join(data["delta"] for data in deltas) == result["raw"]
    assert {data["index"] for data in deltas} == {0}
    assert states(run) == ["started"]
    assert list(faults()) == []


def test_the_first_answer_is_a_run_like_any_other(running: Sandbox, alice: Actor, post: Post) -> None:
    accepted = post(alice, {"input": "Who is Ada?", "schema": CONTACT}, wait=False)
    assert accepted.status_code == 202
    run = accepted.json()
    assert run["stream_id"] in run["events_url"] or run["id"] in run["events_url"]
    entries = async_to_sync(read_all)(run["stream_id"])
    assert entries[-1].event_type == "done"
    again = Client().get(f"/api/v1/structured/{run['id']}/", headers=bearer(alice)).json()
    assert again["value"] is not None
    assert Client().get(f"/api/v1/runs/{run['id']}/", headers=bearer(alice)).json()["state"] == "done"


def test_an_answer_that_cannot_be_made_to_fit_is_repaired_once_and_kept(
    running: Sandbox, alice: Actor, post: Post
) -> None:
    result = post(alice, {"input": "A code", "schema": IMPOSSIBLE}).json()
    assert (result["state"], result["valid"], result["value"]) == ("failed", False, None)
    assert (result["error"]["code"], result["error"]["detail"]) == ("invalid_request", "invalid_output")
    assert "/code" in result["error"]["message"]
    assert len(result["attempts"]) == 2
    assert result["attempts"][0]["faults"][0]["path"] == "/code"
    assert result["raw"] == result["attempts"][1]["raw"] != ""
    run = Run.objects.get(pk=result["id"])
    assert states(run) == ["started", "repair"]
    assert len(run.trace["attempts"]) == 2
    assert run.usage["output_tokens"] > 0
    assert list(faults()) == []


def test_a_repair_that_works_gives_the_value(running: Sandbox, alice: Actor, post: Post) -> None:
    """The first message steers the sandbox to count instead; the repair is a message without that."""
    result = post(alice, {"input": "/tokens 5", "schema": CONTACT}).json()
    assert result["state"] == "done"
    assert result["attempts"][0]["raw"].startswith("1 2 3")
    assert result["attempts"][0]["faults"][0]["message"].startswith("This is not JSON")
    assert set(result["value"]) == {"name", "age"}
    run = Run.objects.get(pk=result["id"])
    assert states(run) == ["started", "repair"]
    assert list(faults()) == []


def test_a_model_without_schemas_is_told_in_words(running: Sandbox, alice: Actor, post: Post) -> None:
    key = first_model("openai")
    LanguageModel.objects.filter(model_id=key.partition("/")[2]).update(supports_structured=False)
    result = post(alice, {"model": key, "input": "Who is Ada?", "schema": CONTACT}).json()
    run = Run.objects.get(pk=result["id"])
    assert states(run)[:2] == ["started", "downgraded"]
    # The sandbox reads no instructions: without a native schema it talks, and that is not the value.
    assert (result["state"], result["error"]["detail"]) == ("failed", "invalid_output")


def test_a_run_can_be_stopped_and_keeps_what_came(running: Sandbox, alice: Actor) -> None:
    asking = Asking((("user", "/slow 20 /tokens 500"),), CONTACT)
    run = structured.start(alice, asking)

    async def some() -> None:
        from chat.journal import follow

        async with asyncio.timeout(20):
            async for batch in follow(run.stream_id):
                if any(entry.event_type == "content_delta" for entry in batch):
                    return

    async_to_sync(some)()
    stopped = Client().post(f"/api/v1/runs/{run.pk}/stop/", headers=bearer(alice))
    assert stopped.status_code == 202
    async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    assert run.state == Run.State.STOPPED
    assert structured.drafts(run)[0].raw.startswith("1 2")
    assert list(faults()) == []


def test_a_model_without_a_key_fails_with_a_type(alice: Actor, running: Sandbox, post: Post) -> None:
    LanguageModel.objects.update(sandbox=False, shared=True)
    result = post(alice, {"model": first_real(), "input": "Who?", "schema": CONTACT}).json()
    assert (result["state"], result["error"]["code"]) == ("failed", "missing_auth")


def first_real() -> str:
    return LanguageModel.objects.filter(provider_id="openai").order_by("model_id")[0].key
