"""Whether a chat has specialists, and who configures them."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership
from accounts.policies import Actor, actor_for
from accounts.problems import Problem
from chat import runs, specialists
from chat.models import Conversation, Specialist
from chat.protocol import Command
from tests.chat.doors.conftest import bearer
from tests.chat.flows.teams import ASK, team
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


# ---------------------------------------------------------------- choosing it
def test_without_specialists_it_is_not_offered(upstream: Sandbox, alice: Actor, bob: Actor, signed_in: Any) -> None:
    with pytest.raises(Problem) as refused:
        runs.start(alice, Command(text=ASK, context="orchestration"))
    assert refused.value.code == "no_specialists"
    assert Conversation.objects.count() == 0, "a refused command changes nothing"
    page = signed_in(alice).get("/specialists/").content.decode()
    assert "This workspace has no specialists." in page
    assert "Add specialists" in page
    theirs = signed_in(bob).get("/specialists/").content.decode()
    assert "An administrator of Example can add them" in theirs
    assert "With specialists" not in signed_in(alice).get("/").content.decode()
    team(alice)
    assert "With specialists" in signed_in(bob).get("/").content.decode()


def test_the_choice_stays_the_conversation_s(upstream: Sandbox, alice: Actor, signed_in: Any) -> None:
    team(alice)
    run = runs.start(alice, Command(text=ASK, context="orchestration"))
    assert Conversation.objects.get().context == "orchestration"
    runs.stop(alice, run.stream_id)
    more = runs.start(alice, Command(text="And?", conversation_id=run.conversation_id))
    assert more.context == "orchestration"
    runs.stop(alice, more.stream_id)
    browser = signed_in(alice)
    assert browser.post(f"/c/{run.conversation_id}/context/", {"context": "chat"}).status_code == 302
    assert Conversation.objects.get().context == "chat"
    last = runs.start(alice, Command(text="And?", conversation_id=run.conversation_id))
    assert last.context == "chat"


def test_a_program_chooses_it(upstream: Sandbox, alice: Actor) -> None:
    team(alice)
    client = Client(headers=bearer(alice))
    made = client.post("/api/v1/runs/", {"input": ASK, "context": "orchestration"}, content_type="application/json")
    assert (made.status_code, made.json()["context"]) == (202, "orchestration")
    kept = client.get(f"/api/v1/conversations/{made.json()['conversation']}/").json()
    assert kept["context"] == "orchestration"


# ---------------------------------------------------------------- configuring it
NEW = {"name": "Lawyer", "slug": "lawyer", "description": "Knows contracts.", "instructions": "Be exact."}


def test_an_administrator_configures_specialists_and_a_member_reads_them(
    upstream: Sandbox, alice: Actor, bob: Actor, charlie: Actor
) -> None:
    owner, member, outsider = (Client(headers=bearer(actor)) for actor in (alice, bob, charlie))
    asked: dict[str, Any] = {"content_type": "application/json"}
    body = NEW | {"model": "openai/gpt-sandbox"}
    made = owner.post("/api/v1/specialists/", body, **asked)
    assert (made.status_code, made.json()["model"]) == (201, "openai/gpt-sandbox")
    place = f"/api/v1/specialists/{made.json()['id']}/"
    assert member.post("/api/v1/specialists/", NEW | {"slug": "other"}, **asked).status_code == 403
    assert member.patch(place, {"enabled": False}, **asked).status_code == 403
    assert member.delete(place).status_code == 403
    assert [row["slug"] for row in member.get("/api/v1/specialists/").json()["results"]] == ["lawyer"]
    assert outsider.get("/api/v1/specialists/").json()["results"] == []
    for answered in (outsider.get(place), outsider.patch(place, {"enabled": False}, **asked), outsider.delete(place)):
        assert answered.status_code == 404
    assert owner.post("/api/v1/specialists/", NEW, **asked).json()["code"] == "slug_taken"
    assert owner.post("/api/v1/specialists/", NEW | {"slug": "No!"}, **asked).status_code == 400
    unknown = owner.post("/api/v1/specialists/", NEW | {"slug": "two", "model": "openai/none"}, **asked)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "model_not_found")
    assert owner.patch(place, {"enabled": False}, **asked).json()["enabled"] is False
    assert member.get(place).status_code == 404, "what is turned off is an administrator's"
    assert owner.get(place).status_code == 200
    assert owner.delete(place).status_code == 204
    assert not Specialist.objects.exists()


def test_examples_are_added_once(alice: Actor) -> None:
    assert specialists.add_examples(alice.workspace_id) == 3
    assert specialists.add_examples(alice.workspace_id) == 0
    membership = Membership.objects.get(user_id=alice.user_id)
    assert [row.slug for row in specialists.available(actor_for(membership))] == ["researcher", "writer", "reviewer"]
