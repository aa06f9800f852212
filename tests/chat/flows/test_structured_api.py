"""The door for values under /api/v1/structured/: what it takes, what it refuses, and what it keeps from others."""

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.policies import Actor
from chat import ledger, runs, structured
from chat.audit_streams import faults
from chat.models import Run, StreamEvent
from chat.protocol import MAX_INPUT_CHARS, Entry
from chat.structured import Asking
from tests.chat.doors.conftest import bearer
from tests.chat.engine.rows import stored
from tests.chat.flows.conftest import CONTACT

pytestmark = pytest.mark.django_db(transaction=True)
type Post = Callable[..., Any]
ASKED = {"input": "Who is Ada?", "schema": CONTACT}


def queued(actor: Actor) -> Run:
    return structured.start(actor, Asking((("user", "Who is Ada?"),), CONTACT))


def test_a_run_is_accepted_with_the_shape_of_every_run(alice: Actor, post: Post) -> None:
    accepted = post(alice, ASKED, wait=False)
    assert accepted.status_code == 202
    body = accepted.json()
    assert (body["state"], body["context"]) == ("queued", "structured")
    assert (body["conversation"], body["message"]) == (None, None)
    ordinary = Client().get(f"/api/v1/runs/{body['id']}/", headers=bearer(alice)).json()
    assert ordinary == body
    run = Run.objects.get(pk=body["id"])
    assert run.stream_id == run.branch != run.pk


def test_two_runs_of_one_person_do_not_stand_in_each_other_s_way(alice: Actor) -> None:
    assert queued(alice).pk != queued(alice).pk


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"input": " "}, 422, "input_empty"),
        ({"input": "x" * (MAX_INPUT_CHARS + 1)}, 413, "input_too_long"),
        ({"model": "openai/none"}, 422, "model_not_found"),
        ({"schema": {"$ref": "https://example.com/"}}, 422, "invalid_schema"),
        ({"schema": {"description": "x" * 70_000}}, 422, "invalid_schema"),
        ({"schema": "{}"}, 400, "invalid_request"),
        ({"schema_name": "two words"}, 400, "invalid_request"),
        ({"messages": [{"role": "user", "text": "a"}]}, 400, "invalid_request"),
        ({"input": "", "messages": [{"role": "system", "text": "a"}]}, 400, "invalid_request"),
        ({"input": "", "messages": [{"role": "assistant", "text": "a"}]}, 422, "input_empty"),
    ],
)
def test_a_refused_request_is_typed_and_changes_nothing(
    alice: Actor, post: Post, change: dict[str, Any], status: int, code: str
) -> None:
    refused = post(alice, ASKED | change, wait=False)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert not Run.objects.exists()


def test_the_place_of_a_fault_in_a_schema_is_told(alice: Actor, post: Post) -> None:
    refused = post(alice, ASKED | {"schema": {"properties": {"a": {"type": "strnig"}}}}, wait=False).json()
    assert refused["path"] == "/properties/a/type"


def test_the_same_key_gives_the_same_run(alice: Actor, post: Post) -> None:
    first, again = (post(alice, ASKED, wait=False, **{"Idempotency-Key": "k"}).json()["id"] for _ in range(2))
    assert first == again
    other = post(alice, ASKED | {"input": "Another"}, wait=False, **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_a_foreign_run_and_a_missing_one_are_the_same_nothing(alice: Actor, bob: Actor, charlie: Actor) -> None:
    run = queued(alice)
    for actor, pk in ((bob, run.pk), (charlie, run.pk), (alice, uuid.uuid4())):
        answers = [
            Client().get(f"/api/v1/structured/{pk}/", headers=bearer(actor)),
            Client().get(f"/api/v1/runs/{pk}/events", headers=bearer(actor)),
            Client().post(f"/api/v1/runs/{pk}/stop/", headers=bearer(actor)),
        ]
        assert {answer.status_code for answer in answers} == {404}
    assert Run.objects.get(pk=run.pk).state == Run.State.QUEUED


def test_a_token_without_the_scope_asks_for_nothing(alice: Actor) -> None:
    answer = Client().post("/api/v1/structured/", ASKED, "application/json", headers=bearer(alice, "models"))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_a_queued_run_can_be_stopped(alice: Actor) -> None:
    run = runs.stop(alice, queued(alice).stream_id)
    assert run.state == Run.State.STOPPED
    assert structured.drafts(run) == []
    assert list(faults()) == []


def test_a_run_whose_process_is_lost_is_closed_with_what_came(alice: Actor) -> None:
    run = queued(alice)
    Run.objects.filter(pk=run.pk).update(
        state=Run.State.RUNNING, lease_owner="gone", lease_until=Now() - timedelta(seconds=1)
    )
    events = [("status", {"state": "started"}), ("content_delta", {"delta": '{"name": "A', "index": 0})]
    for number, (event_type, data) in enumerate(events, start=1):
        StreamEvent.objects.create(run=run, sequence=number, event_type=event_type, data=data)
    assert ledger.reap("me") == [run.stream_id]
    run.refresh_from_db()
    assert run.state == Run.State.INTERRUPTED
    assert [draft.raw for draft in structured.drafts(run)] == ['{"name": "A']
    assert stored(run)[-1] == Entry(3, "error", run.error)
    told = Client().get(f"/api/v1/structured/{run.pk}/", headers=bearer(alice)).json()
    assert (told["state"], told["error"]["code"], told["raw"]) == ("interrupted", "interrupted", '{"name": "A')
    assert list(faults()) == []
    Run.objects.update(output={"parts": []})
    assert [fault for _, fault in faults()] == ["its events do not fold into the stored message"]


def test_waiting_ends_when_the_time_is_over(alice: Actor) -> None:
    from chat.waiting import wait

    began = time.monotonic()
    wait(queued(alice).stream_id, 0.5)
    assert 0.4 < time.monotonic() - began < 5


def test_the_document_knows_the_addresses(alice: Actor) -> None:
    answer = Client().get("/api/v1/schema?format=json", headers=bearer(alice))
    paths = answer.json()["paths"]
    create = paths["/api/v1/structured/"]["post"]
    assert {"200", "202"} <= create["responses"].keys()
    assert "get" in paths["/api/v1/structured/{id}/"]
