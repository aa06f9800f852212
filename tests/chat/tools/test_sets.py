"""Which tools a conversation has, over the API and on the page, and the search of one's own conversations."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse

from accounts.policies import Actor
from chat.journal import Journal
from chat.models import Conversation, Message, Run
from chat.tools import search
from chat.tools.contract import Scope
from tests.chat.doors.conftest import bearer

pytestmark = pytest.mark.django_db(transaction=True)

type SignIn = Callable[[Actor], Client]


def conversation(actor: Actor, title: str, *said: str) -> Conversation:
    made = Conversation.objects.create(workspace_id=actor.workspace_id, owner_id=actor.user_id, title=title)
    for text in said:
        Message.objects.create(conversation=made, role="user", parts=[{"type": "text", "text": text}])
    return made


def found(actor: Actor, words: str, inside: Conversation | None = None) -> str:
    scope = Scope(Run(conversation=inside), Journal("here").open(uuid4(), uuid4()), "c1")
    call = search.tool(actor).call
    assert call is not None
    return str(async_to_sync(call)({"words": words}, scope))


def test_the_search_finds_ones_own_conversations_and_nobody_elses(alice: Actor, bob: Actor, charlie: Actor) -> None:
    conversation(alice, "Boats", "We rowed across the fjord at dawn")
    for other in (bob, charlie):
        conversation(other, "Secret fjord", "The treasure is in the fjord")
    assert found(alice, "fjord") == "- Boats: We rowed across the fjord at dawn"
    assert found(alice, "treasure") == "No other conversation contains “treasure”."


def test_the_conversation_that_asks_is_not_found_and_there_is_an_end(alice: Actor) -> None:
    asking = conversation(alice, "Asking", "Where did I write fjord?")
    for number in range(12):
        conversation(alice, f"Fjord {number}")
    lines = found(alice, "fjord", asking).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "(2 more are not shown.)"


def test_the_choice_is_the_conversations(client: Client, alice: Actor, post: Any) -> None:
    told = client.get("/api/v1/tools/", headers=bearer(alice)).json()
    assert [(one["key"], one["chosen"]) for one in told] == [
        ("clock", True),
        ("search_conversations", True),
        ("read_file", True),
    ]
    run = post(alice, "runs/", {"input": "Hello", "server_tools": ["clock"]}).json()
    row = Run.objects.get(pk=run["id"])
    assert (row.conversation.tools, row.input) == (["clock"], {"tools": ["clock"]})
    path = f"/api/v1/conversations/{run['conversation']}/"
    cleared = client.patch(path, {"tools": None}, content_type="application/json", headers=bearer(alice))
    assert (cleared.status_code, cleared.json()["tools"]) == (200, None)
    unknown = client.patch(path, {"tools": ["x"]}, content_type="application/json", headers=bearer(alice))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "tool_not_found")


def test_the_page_sends_the_menus_choice(signed_in: SignIn, alice: Actor) -> None:
    browser = signed_in(alice)
    browser.post(reverse("chat:new"), {"text": "One", "key": "k1", "menu": "1", "tools": ["search_conversations"]})
    browser.post(reverse("chat:new"), {"text": "Two", "key": "k2", "menu": "1"})
    browser.post(reverse("chat:new"), {"text": "Three", "key": "k3"})
    chosen = {row.title: row.tools for row in Conversation.objects.all()}
    assert chosen == {"One": ["search_conversations"], "Two": [], "Three": None}
