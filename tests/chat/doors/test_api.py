"""Conversations, messages and runs under /api/v1/."""

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiToken
from accounts.policies import Actor
from catalog.models import LanguageModel
from chat.models import Conversation, Message, Run
from tests.chat.doors.conftest import bearer, token_of

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = "/api/v1/runs/"


def post(client: Client, actor: Actor, body: Any, path: str = RUNS, **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=bearer(actor) | headers)


def test_a_run_is_accepted_with_the_address_of_its_events(client: Client, alice: Actor, model: LanguageModel) -> None:
    answer = post(client, alice, {"context": "chat", "input": "Hello", "model": "openai/gpt-x"})
    run = Run.objects.get()
    assert answer.status_code == 202
    told = answer.json()
    assert told["id"] == str(run.pk)
    assert told["conversation"] == str(run.conversation_id)
    assert told["stream_id"] == told["message"] == str(run.stream_id)
    assert told["events_url"] == f"http://testserver/api/v1/runs/{run.pk}/events"
    assert (told["state"], told["requested_model"], told["error"]) == ("queued", "openai/gpt-x", None)


def test_a_run_is_read_and_stopped(client: Client, alice: Actor) -> None:
    pk = post(client, alice, {"input": "Hello"}).json()["id"]
    assert client.get(f"{RUNS}{pk}/", headers=bearer(alice)).json()["state"] == "queued"
    stopped = [post(client, alice, None, f"{RUNS}{pk}/stop/") for _ in range(2)]
    assert [(each.status_code, each.json()["state"]) for each in stopped] == [(202, "stopped"), (202, "stopped")]


def test_the_same_key_gives_the_same_run(client: Client, alice: Actor) -> None:
    first, second = (post(client, alice, {"input": "Hello"}, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    other = post(client, alice, {"input": "Something else"}, **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert Message.objects.filter(role="user").count() == 1


def test_a_busy_branch_names_the_run_that_keeps_it_busy(client: Client, alice: Actor) -> None:
    first = post(client, alice, {"input": "Hello"}).json()
    answer = post(client, alice, {"input": "Again", "conversation": first["conversation"]})
    assert (answer.status_code, answer.json()["code"], answer.json()["run"]) == (409, "run_active", first["id"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"input": ""}, 422, "input_empty"),
        ({"input": "x" * 400_001}, 413, "input_too_long"),
        ({"input": "Hello", "model": "openai/none"}, 422, "model_not_found"),
        ({"input": "Hello", "model": "x" * 300}, 400, "invalid_request"),
        ({"input": "Hello", "conversation": str(uuid.UUID(int=1))}, 404, "not_found"),
        ({"input": "Hello", "conversation": "nonsense"}, 400, "invalid_request"),
        ({"input": "Hello", "context": "doc"}, 400, "invalid_request"),
        ({"input": ["Hello"]}, 400, "invalid_request"),
        ({"answer_to": str(uuid.UUID(int=1))}, 400, "invalid_request"),
        ([], 400, "invalid_request"),
        ("{", 400, "malformed"),
    ],
)
def test_what_cannot_be_served_is_a_typed_problem_and_changes_nothing(
    client: Client, alice: Actor, body: Any, status: int, code: str
) -> None:
    answer = post(client, alice, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert (Conversation.objects.count(), Message.objects.count(), Run.objects.count()) == (0, 0, 0)


def test_three_megabytes_are_refused_before_they_are_read(client: Client, alice: Actor) -> None:
    answer = post(client, alice, {"input": "x" * 3_000_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_an_expired_token_says_so(client: Client, alice: Actor) -> None:
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    ApiToken.objects.update(expires_at="2026-01-01T00:00Z")
    answer = client.post(RUNS, {"input": "Hello"}, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    assert Run.objects.count() == 0


def test_a_session_needs_its_csrf_token(alice: Actor) -> None:
    from accounts.models import User

    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(pk=alice.user_id))
    answer = client.post(RUNS, {"input": "Hello"}, content_type="application/json")
    assert answer.status_code == 403
    assert Run.objects.count() == 0


def test_a_conversation_is_made_changed_and_removed(client: Client, alice: Actor, model: LanguageModel) -> None:
    made = post(client, alice, {"title": " Plans ", "model": "openai/gpt-x"}, "/api/v1/conversations/")
    assert (made.status_code, made.json()["title"], made.json()["model"]) == (201, "Plans", "openai/gpt-x")
    path = f"/api/v1/conversations/{made.json()['id']}/"
    changed = client.patch(path, {"title": "Better plans"}, content_type="application/json", headers=bearer(alice))
    assert (changed.json()["title"], changed.json()["model"]) == ("Better plans", "openai/gpt-x")
    wrong = client.patch(path, {"model": "openai/none"}, content_type="application/json", headers=bearer(alice))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "model_not_found")
    assert client.delete(path, headers=bearer(alice)).status_code == 204
    assert client.get(path, headers=bearer(alice)).status_code == 404


def test_messages_tell_the_tree_and_the_runs(client: Client, alice: Actor, answered: Run) -> None:
    path = f"/api/v1/conversations/{answered.conversation_id}/messages/"
    question, answer = client.get(path, headers=bearer(alice)).json()["results"]
    assert (question["role"], question["text"], question["run"]) == ("user", "Hello", None)
    assert (answer["role"], answer["text"], answer["run"]) == ("assistant", "Hello **you**", str(answered.pk))
    assert answer["parent"] == question["id"]


def test_a_list_is_cut_into_pages(client: Client, alice: Actor) -> None:
    for number in range(3):
        post(client, alice, {"title": f"Plan {number}"}, "/api/v1/conversations/")
    first = client.get("/api/v1/conversations/?limit=2", headers=bearer(alice)).json()
    rest = client.get(first["next"], headers=bearer(alice)).json()
    assert [each["title"] for each in first["results"] + rest["results"]] == ["Plan 2", "Plan 1", "Plan 0"]
