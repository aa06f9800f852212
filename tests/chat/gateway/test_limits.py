"""The OpenAI-compatible door is under the limits that hold everywhere, and what it used is counted."""

import time
from typing import Any

import pytest
from django.test import Client

from accounts.policies import Actor
from catalog.models import Limit
from chat.models import Run, UsageEntry
from tests.chat.doors.conftest import bearer
from tests.chat.engine.conftest import upstream, vendor

__all__ = ["upstream", "vendor"]

pytestmark = pytest.mark.django_db(transaction=True)
BODY: dict[str, Any] = {"model": "gemini/gemini-sandbox-flash"}


def ask(actor: Actor, words: str = "Hello /tokens 3") -> Any:
    body = BODY | {"messages": [{"role": "user", "content": words}]}
    return Client().post("/v1/chat/completions", body, "application/json", headers=bearer(actor))


def settled() -> UsageEntry:
    """The one entry, once its run's end is stored."""
    deadline = time.monotonic() + 10
    while not UsageEntry.objects.filter(answered=True).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return UsageEntry.objects.get()


@pytest.mark.usefixtures("upstream")
@pytest.mark.parametrize(("measure", "hard"), [("requests", 1), ("tokens", 1_200)])
def test_it_refuses_beyond_a_limit_and_counts_what_it_used(alice: Actor, measure: str, hard: int) -> None:
    limit = Limit.objects.create(workspace_id=alice.workspace_id, measure=measure, hard=hard)
    assert ask(alice).status_code == 200
    entry = settled()
    assert (entry.model, entry.answered, entry.requests, entry.reserved) == (BODY["model"], True, 1, 0)
    assert entry.output_tokens == Run.objects.get().usage["output_tokens"] > 0
    if measure == "tokens":
        Limit.objects.filter(pk=limit.pk).update(hard=1_001)
    refused = ask(alice)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "limit_reached")
    assert int(refused["Retry-After"]) > 0
    assert UsageEntry.objects.count() == 1
    while Run.objects.active().exists():
        time.sleep(0.05)
    assert sorted(Run.objects.values_list("state", flat=True)) == ["done", "failed"]


@pytest.mark.usefixtures("upstream")
def test_a_long_question_needs_room_for_itself(alice: Actor) -> None:
    Limit.objects.create(workspace_id=alice.workspace_id, measure="tokens", hard=5_000)
    assert ask(alice).status_code == 200
    settled()
    assert ask(alice, "word " * 4_000).status_code == 429
