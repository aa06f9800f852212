"""People at the doors of the chat: signed in, or with a token; and conversations in known states."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import AsyncClient, Client

from accounts.models import User, Workspace
from accounts.policies import Actor
from accounts.tokens import mint
from catalog.models import LanguageModel
from chat.ledger import Closing, Slice, commit
from chat.models import Conversation, Message, Run
from chat.protocol import Entry, fold
from tests.chat.engine.rows import make_run

DONE = {
    "reason": "completed",
    "finish_reason": "stop",
    "usage": {"output_tokens": 12},
    "provider_id": "openai",
    "model_id": "gpt-x",
}


@pytest.fixture
def signed_in() -> Callable[[Actor], Client]:
    """`signed_in(actor)`: a browser with a session."""

    def sign_in(actor: Actor) -> Client:
        client = Client()
        client.force_login(User.objects.get(pk=actor.user_id))
        return client

    return sign_in


def token_of(actor: Actor, *scopes: str, days: int = 1) -> str:
    user, workspace = User.objects.get(pk=actor.user_id), Workspace.objects.get(pk=actor.workspace_id)
    return mint(user, workspace, "test", scopes or ("chat",), days)[1]


def bearer(actor: Actor, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(actor, *scopes)}"}


def session_cookie(actor: Actor) -> str:
    client = AsyncClient()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client.cookies["sessionid"].value


@pytest.fixture
def model(db: None) -> LanguageModel:
    seen = datetime(2026, 11, 22, tzinfo=UTC)
    return LanguageModel.objects.create(
        provider_id="openai", model_id="gpt-x", label="GPT X", shared=True, last_seen_at=seen
    )


def write(run: Run, *events: tuple[str, dict[str, Any]], start: int = 1) -> None:
    """Append events to a running run's journal, as a runner does."""
    entries = tuple(Entry(number, *event) for number, event in enumerate(events, start=start))
    commit([Slice(run.pk, run.stream_id, entries)], run.lease_owner)


def finish(run: Run, *events: tuple[str, dict[str, Any]], start: int = 1, data: dict[str, Any] = DONE) -> None:
    """Append events and the terminal `done`, with the message."""
    all_events = [*events, ("done", data)]
    entries = tuple(Entry(number, *event) for number, event in enumerate(all_events, start=start))
    stored = tuple(Entry(*row) for row in run.events.values_list("sequence", "event_type", "data"))
    closing = Closing("done", data, Run.State.DONE, fold((*stored, *entries)), run={"usage": data["usage"]})
    commit([Slice(run.pk, run.stream_id, entries, closing)], run.lease_owner)


def text(delta: str) -> tuple[str, dict[str, Any]]:
    return "content_delta", {"delta": delta}


STARTED = (
    "status",
    {"state": "started", "requested": "openai/gpt-x", "model": "openai/gpt-x", "credential": "sandbox", "hint": ""},
)


@pytest.fixture
def running(alice: Actor) -> Run:
    """An answer of alice's in mid-stream: two events so far."""
    run = make_run(alice, served_model="openai/gpt-x", lease=timedelta(minutes=5))
    write(run, STARTED, text("Hello"))
    return run


@pytest.fixture
def answered(alice: Actor) -> Run:
    """A finished answer of alice's."""
    run = make_run(alice, served_model="openai/gpt-x", credential_source="workspace", lease=timedelta(minutes=5))
    finish(run, STARTED, text("Hello **you**"))
    Conversation.objects.filter(pk=run.conversation_id).update(leaf=run.answer_id, title="Greetings")
    run.refresh_from_db()
    return run


def long_conversation(actor: Actor, pairs: int) -> Conversation:
    """`pairs` questions with finished answers, one after the other."""
    conversation = Conversation.objects.create(workspace_id=actor.workspace_id, owner_id=actor.user_id, title="Long")
    leaf: Message | None = None
    for number in range(pairs):
        said = [{"type": "text", "text": f"Question {number}"}]
        asked = Message.objects.create(conversation=conversation, parent=leaf, role="user", parts=said)
        parts = [{"type": "text", "text": f"Answer {number} with `code`\n\n- a\n- b\n"}]
        leaf = Message.objects.create(conversation=conversation, parent=asked, role="assistant", parts=parts)
        Run.objects.create(
            stream_id=leaf.pk, workspace_id=actor.workspace_id, user_id=actor.user_id, conversation=conversation,
            answer=leaf, branch=uuid.uuid4(), state=Run.State.DONE, served_model="openai/gpt-x",
        )  # fmt: skip
    conversation.leaf = leaf
    conversation.save()
    return conversation
