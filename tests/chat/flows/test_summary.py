"""The summary of a conversation: asked for by a person or a program, one at a time, kept with what it covers."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.policies import Actor
from catalog.models import ContextDefault, LanguageModel
from chat import conversations, runs, summaries
from chat.audit_streams import faults
from chat.models import Conversation, Run
from chat.protocol import Command, Entry
from tests.chat.doors.conftest import bearer
from tests.chat.engine.rows import read_all
from tests.chat.flows.talks import ask, states, talk, window
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def written(run: Run) -> list[Entry]:
    entries = async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    return entries


def test_a_program_has_a_conversation_summarised_and_reads_it(running: Sandbox, alice: Actor) -> None:
    conversation = talk(alice, pairs=2)
    client, place = Client(headers=bearer(alice)), f"/api/v1/conversations/{conversation.pk}/summary/"
    assert client.get(place).status_code == 404
    made = client.post(place, {}, content_type="application/json", headers={"Idempotency-Key": "once"})
    again = client.post(place, {}, content_type="application/json", headers={"Idempotency-Key": "once"})
    assert (made.status_code, again.status_code) == (202, 202)
    assert made.json()["id"] == again.json()["id"]
    run = Run.objects.get(pk=made.json()["id"])
    entries = written(run)
    assert (run.context, run.state, states(entries)) == ("summary", Run.State.DONE, ["started"])
    default = ContextDefault.objects.select_related("model").get(context="summary", user=None, workspace=None)
    assert run.served_model == default.model.key
    assert (run.trace["candidates"][0]["why"], run.credential_source) == ("installation", "sandbox")
    found = client.get(place).json()
    assert found["text"].startswith("**In short** (by the sandbox, which read 4 turns)")
    assert "Answer: Answer 1" in found["text"]
    assert (found["upto"], found["stale"]) == (str(conversation.leaf_id), False)
    assert list(faults()) == []


def test_a_summary_is_stale_once_the_conversation_went_on(running: Sandbox, alice: Actor) -> None:
    conversation = talk(alice, pairs=1)
    written(summaries.start(alice, conversation.pk))
    ask(alice, conversation)
    found = summaries.latest(alice, Conversation.objects.get())
    assert found is not None
    assert found.stale


def test_a_long_conversation_is_read_in_parts(running: Sandbox, alice: Actor) -> None:
    conversation = talk(alice, pairs=8)
    window(None)
    LanguageModel.objects.filter(model_id="gpt-sandbox-mini").update(context_window=2_000)
    run = summaries.start(alice, conversation.pk)
    entries = written(run)
    parts = [entry.data for entry in entries if entry.data.get("state") == "part"]
    assert [part["done"] for part in parts] == list(range(parts[0]["of"]))
    assert [entry.data["parts"] for entry in entries if entry.data.get("state") == "merging"] == [len(parts)]
    assert parts[0]["of"] > 1
    texts = [part for part in run.output["parts"] if part["type"] == "text"]
    assert len(texts) == 1, "what was written on the way is not the summary"
    answered = [line for line in run.trace["attempts"] if line["outcome"] == "answered"]
    assert len(answered) == len(parts) + 1
    assert run.usage["input_tokens"] > 1_600, "of all parts"
    assert list(faults()) == []


def test_one_summary_at_a_time_is_written_of_a_conversation(upstream: Sandbox, alice: Actor) -> None:
    conversation = talk(alice, pairs=1)
    summaries.start(alice, conversation.pk)
    client = Client(headers=bearer(alice))
    refused = client.post(f"/api/v1/conversations/{conversation.pk}/summary/", {}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "run_active")


def test_a_summary_waits_for_no_answer_and_blocks_none(upstream: Sandbox, alice: Actor) -> None:
    conversation = talk(alice, pairs=1)
    summaries.start(alice, conversation.pk)
    runs.start(alice, Command(text="Go on", conversation_id=conversation.pk))
    client = Client(headers=bearer(alice))
    refused = client.post(f"/api/v1/conversations/{conversation.pk}/summary/", {}, content_type="application/json")
    assert refused.json()["code"] == "run_active", "the newest answer is still being written"


def test_there_is_nothing_to_summarise_in_an_empty_conversation(upstream: Sandbox, alice: Actor) -> None:
    empty = conversations.create(alice)
    refused = Client(headers=bearer(alice)).post(
        f"/api/v1/conversations/{empty.pk}/summary/", {}, content_type="application/json"
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "input_empty")


def test_nobody_else_summarises_or_reads(upstream: Sandbox, alice: Actor, bob: Actor, charlie: Actor) -> None:
    conversation, other = talk(alice, pairs=1), talk(bob, pairs=1)
    summaries.start(alice, conversation.pk)
    place = f"/api/v1/conversations/{conversation.pk}/summary/"
    for actor in (bob, charlie):
        client = Client(headers=bearer(actor))
        assert client.get(place).status_code == 404
        assert client.post(place, {}, content_type="application/json").status_code == 404
    foreign = {"at": str(other.leaf_id)}
    mine = Client(headers=bearer(alice))
    assert mine.post(place, foreign, content_type="application/json").status_code == 404
    assert Run.objects.count() == 1


def test_the_page_shows_the_summary_with_its_model_and_marks_it_stale(
    running: Sandbox, alice: Actor, signed_in: Any
) -> None:
    conversation = talk(alice, pairs=1)
    browser, page = signed_in(alice), f"/c/{conversation.pk}/"
    assert "Summarise this conversation" in browser.get(page).content.decode()
    posted = browser.post(f"{page}summary/", {"at": str(conversation.leaf_id), "key": "k"})
    assert (posted.status_code, posted["Location"]) == (302, f"{page}?summary=1#summary")
    written(Run.objects.get(context="summary"))
    html = browser.get(page).content.decode()
    assert "which read 2 turns" in html
    assert "Summarise again" in html
    assert "has gone on since" not in html
    ask(alice, conversation)
    assert "has gone on since" in browser.get(page).content.decode()


def test_a_title_is_no_summary_and_a_summary_no_title(running: Sandbox, alice: Actor, settings: Any) -> None:
    settings.AUTO_TITLES = True
    conversation = talk(alice, pairs=0)
    ask(alice, conversation, "What is a lease? /tokens 5 /slow 1000")
    assert summaries.latest(alice, Conversation.objects.get()) is None


def test_the_ring_says_how_full_the_window_is(running: Sandbox, alice: Actor, signed_in: Any) -> None:
    conversation = talk(alice, pairs=3)
    client, place = Client(headers=bearer(alice)), f"/api/v1/conversations/{conversation.pk}/context/"
    assert client.get(place).status_code == 404, "nothing was sent yet"
    window(1_300)
    ask(alice, conversation)
    found = client.get(place).json()
    assert (found["window"], found["state"]) == (1_300, "ok")
    assert 60 < found["percent"] <= 70
    window(1_000)
    assert client.get(place).json()["state"] == "near"
    window(500)
    assert client.get(place).json()["state"] == "over"
    html = signed_in(alice).get(f"/c/{conversation.pk}/").content.decode()
    assert "Too long for gpt-sandbox: older messages are summarised" in html
    window(None)
    assert client.get(place).status_code == 404, "nobody says what the model reads at once"
