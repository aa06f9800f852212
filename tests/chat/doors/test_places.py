"""Who reaches what: one's own conversation, a colleague's and a stranger's, through every door."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.policies import Actor
from chat.models import Conversation, Message, Run
from tests.chat.doors.conftest import bearer

pytestmark = pytest.mark.django_db(transaction=True)
type SignIn = Callable[[Actor], Client]

PAGES = [
    ("get", "/c/{conversation}/", {}),
    ("post", "/c/{conversation}/", {"text": "Hello"}),
    ("post", "/c/{conversation}/act/", {"do": "answer:{question}"}),
    ("post", "/c/{conversation}/act/", {"do": "continue:{answer}"}),
    ("post", "/c/{conversation}/act/", {"do": "stop:{stream}"}),
    ("post", "/c/{conversation}/model/", {"model": ""}),
    ("post", "/c/{conversation}/rename/", {"title": "Mine now"}),
    ("post", "/c/{conversation}/delete/", {}),
]
CALLS = [
    ("get", "/api/v1/conversations/{conversation}/", None),
    ("patch", "/api/v1/conversations/{conversation}/", {"title": "Mine now"}),
    ("delete", "/api/v1/conversations/{conversation}/", None),
    ("get", "/api/v1/conversations/{conversation}/messages/", None),
    ("get", "/api/v1/runs/{run}/", None),
    ("post", "/api/v1/runs/{run}/stop/", None),
    ("get", "/api/v1/runs/{run}/events", None),
    ("get", "/api/v1/runs/{stream}/events", None),
    ("post", "/api/v1/runs/", {"input": "Hello", "conversation": "{conversation}"}),
    ("post", "/api/v1/runs/", {"conversation": "{conversation}", "answer_to": "{question}"}),
    ("post", "/api/v1/runs/", {"conversation": "{conversation}", "continues": "{answer}"}),
]


def names(run: Run) -> dict[str, str]:
    return {
        "conversation": str(run.conversation_id),
        "question": str(Message.objects.get(role="user").pk),
        "answer": str(run.answer_id),
        "run": str(run.pk),
        "stream": str(run.stream_id),
    }


def filled(value: Any, words: dict[str, str]) -> Any:
    return {key: each.format(**words) for key, each in value.items()} if isinstance(value, dict) else value


def rows() -> tuple[Any, ...]:
    return (
        list(Conversation.objects.values_list("pk", "title", "model", "leaf")),
        Message.objects.count(),
        list(Run.objects.values_list("pk", "state", "stop_requested_at")),
    )


def missing() -> dict[str, str]:
    nothing = str(uuid.UUID(int=7))
    return dict.fromkeys(("conversation", "question", "answer", "run", "stream"), nothing)


@pytest.mark.parametrize("who", ["bob", "charlie"])
@pytest.mark.parametrize(("method", "path", "form"), PAGES)
def test_a_foreign_conversation_is_a_missing_one_on_every_page(
    request: pytest.FixtureRequest, signed_in: SignIn, running: Run, who: str, method: str, path: str, form: Any
) -> None:
    client, before = signed_in(request.getfixturevalue(who)), rows()
    foreign, nothing = (
        getattr(client, method)(path.format(**words), filled(form, words)) for words in (names(running), missing())
    )
    assert (foreign.status_code, foreign.content) == (nothing.status_code, nothing.content)
    assert foreign.status_code == 404
    assert rows() == before


@pytest.mark.parametrize("who", ["bob", "charlie"])
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_a_foreign_run_is_a_missing_one_on_every_call(
    request: pytest.FixtureRequest, client: Client, running: Run, who: str, method: str, path: str, body: Any
) -> None:
    headers, before = bearer(request.getfixturevalue(who)), rows()
    foreign, nothing = (
        getattr(client, method)(
            path.format(**words), filled(body, words), content_type="application/json", headers=headers
        )
        for words in (names(running), missing())
    )
    assert (foreign.status_code, foreign.content) == (nothing.status_code, nothing.content)
    assert foreign.status_code == 404
    assert rows() == before


@pytest.mark.parametrize(("method", "path", "body"), [*CALLS, ("get", "/api/v1/conversations/", None)])
def test_without_a_token_nothing_is_told(client: Client, running: Run, method: str, path: str, body: Any) -> None:
    words = names(running)
    answer = getattr(client, method)(path.format(**words), filled(body, words), content_type="application/json")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_a_token_without_the_scope_is_refused(
    client: Client, alice: Actor, running: Run, method: str, path: str, body: Any
) -> None:
    words = names(running)
    answer = getattr(client, method)(
        path.format(**words), filled(body, words), content_type="application/json", headers=bearer(alice, "models")
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize("field", ["answer_to", "continues", "parent"])
def test_a_message_of_another_conversation_cannot_be_named(
    client: Client, alice: Actor, bob: Actor, running: Run, field: str
) -> None:
    own = Conversation.objects.create(workspace_id=bob.workspace_id, owner_id=bob.user_id)
    before = rows()
    foreign = names(running)["answer" if field == "continues" else "question"]
    body = {"input": "Hello", "conversation": str(own.pk), field: foreign}
    answer = client.post("/api/v1/runs/", body, content_type="application/json", headers=bearer(bob))
    assert answer.status_code == 404
    assert rows() == before


def test_lists_hold_ones_own(client: Client, bob: Actor, answered: Run, signed_in: SignIn) -> None:
    assert client.get("/api/v1/conversations/", headers=bearer(bob)).json()["results"] == []
    assert "Greetings" not in signed_in(bob).get("/").content.decode()
    assert "Greetings" not in signed_in(bob).get("/search/?q=greet").content.decode()
