"""The conversation page: what it shows, what its forms do, and that it does both without script."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat.models import Conversation, Message, Run
from tests.chat.doors.conftest import long_conversation

pytestmark = pytest.mark.django_db(transaction=True)
type SignIn = Callable[[Actor], Client]


def address(run: Run, more: str = "") -> str:
    return f"/c/{run.conversation_id}/{more}"


def test_nobody_reads_a_page_without_signing_in(client: Client, answered: Run) -> None:
    for path in ("/", "/search/", address(answered)):
        assert client.get(path).status_code == 302


def test_a_newcomer_is_told_to_connect_a_provider(alice: Actor, signed_in: SignIn) -> None:
    page = signed_in(alice).get("/").content.decode()
    assert "Connect a provider to start." in page
    assert 'name="text" rows="1" placeholder="Connect a provider to start"' in page


def test_a_finished_answer_says_who_gave_it_and_with_which_key(
    alice: Actor, answered: Run, model: LanguageModel, signed_in: SignIn
) -> None:
    page = signed_in(alice).get(address(answered)).content.decode()
    assert "Answer by GPT X" in page
    assert "<span>workspace key</span>" in page
    assert "12 tokens" in page
    assert "<p>Hello <strong>you</strong></p>" in page
    assert "answer-stream" not in page


def test_a_running_answer_is_shown_up_to_a_sequence_and_followed_from_there(
    alice: Actor, running: Run, signed_in: SignIn
) -> None:
    Conversation.objects.update(leaf=running.answer_id)
    page = signed_in(alice).get(address(running)).content.decode()
    assert f'<answer-stream stream="{running.stream_id}" after="2">' in page
    assert '<div class="tail raw">Hello</div>' in page
    assert f'value="stop:{running.stream_id}"' in page


def test_a_person_s_message_is_text(alice: Actor, answered: Run, signed_in: SignIn) -> None:
    Message.objects.filter(role="user").update(parts=[{"type": "text", "text": "<script>alert(1)</script>"}])
    page = signed_in(alice).get(address(answered)).content.decode()
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>" in page


def test_sending_without_script_leads_to_the_conversation(
    alice: Actor, model: LanguageModel, signed_in: SignIn
) -> None:
    answer = signed_in(alice).post("/", {"text": "Hello\r\nthere", "model": "openai/gpt-x", "key": "k1"})
    run = Run.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/c/{run.conversation_id}/#m-{run.answer_id}"
    assert Message.objects.get(role="user").text == "Hello\nthere"
    assert run.requested_model == "openai/gpt-x"


def test_sending_by_script_gives_the_turns_and_where_they_go(alice: Actor, answered: Run, signed_in: SignIn) -> None:
    sent = {"text": "And now?", "key": "k2"}
    answer = signed_in(alice).post(address(answered), sent, headers={"Accept": "application/json"})
    assert answer.status_code == 202
    assert answer.json()["parent"] == str(answered.answer_id)
    assert "And now?" in answer.json()["html"]
    assert f'stream="{answer.json()["stream"]}"' in answer.json()["html"]


def test_a_doubled_post_sends_once(alice: Actor, signed_in: SignIn) -> None:
    client = signed_in(alice)
    first, second = (client.post("/", {"text": "Hello", "key": "same"}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Run.objects.count() == 1


@pytest.mark.parametrize(("text", "status"), [("", 422), (" \n", 422), ("x" * 400_001, 413)])
def test_a_message_that_is_refused_stays_in_the_box(alice: Actor, signed_in: SignIn, text: str, status: int) -> None:
    answer = signed_in(alice).post("/", {"text": text, "key": "k"})
    assert answer.status_code == status
    assert Message.objects.count() == 0
    assert text.strip() in answer.content.decode()


def test_an_unknown_model_is_refused_by_name_and_nothing_changes(alice: Actor, signed_in: SignIn) -> None:
    answer = signed_in(alice).post(
        "/", {"text": "Hello", "model": "openai/none"}, headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "model_not_found")
    assert Conversation.objects.count() == 0


def test_a_second_message_into_a_running_answer_is_kept_on_the_page(
    alice: Actor, running: Run, signed_in: SignIn
) -> None:
    Conversation.objects.update(leaf=Message.objects.get(role="user").pk)
    Run.objects.update(branch=Message.objects.get(role="user").pk)
    answer = signed_in(alice).post(address(running), {"text": "Too early", "key": "k"})
    assert answer.status_code == 409
    assert "Too early" in answer.content.decode()


def test_regenerating_makes_a_second_version(alice: Actor, answered: Run, signed_in: SignIn) -> None:
    asked = Message.objects.get(role="user")
    answer = signed_in(alice).post(address(answered, "act/"), {"do": f"answer:{asked.pk}", "key": "k"})
    assert answer.status_code == 302
    assert asked.children.count() == 2
    page = signed_in(alice).get(address(answered)).content.decode()
    assert "2 / 2" in page
    assert f"?at={answered.answer_id}" in page
    assert "1 / 2" in signed_in(alice).get(address(answered, f"?at={answered.answer_id}")).content.decode()


def test_another_model_can_be_asked_the_same(
    alice: Actor, answered: Run, model: LanguageModel, signed_in: SignIn
) -> None:
    asked = Message.objects.get(role="user")
    form = {"asked": f"answer:{asked.pk}", "model": "openai/gpt-x", "key": "k"}
    signed_in(alice).post(address(answered, "act/"), form)
    assert asked.children.latest("created_at").run.requested_model == "openai/gpt-x"


def test_stop_works_by_form(alice: Actor, running: Run, signed_in: SignIn) -> None:
    answer = signed_in(alice).post(address(running, "act/"), {"do": f"stop:{running.stream_id}"})
    running.refresh_from_db()
    assert answer.status_code == 302
    assert running.stop_requested_at is not None


@pytest.mark.parametrize("do", ["", "answer", "answer:x", f"remove:{uuid.UUID(int=1)}"])
def test_an_action_that_makes_no_sense_is_refused(alice: Actor, answered: Run, signed_in: SignIn, do: str) -> None:
    answer = signed_in(alice).post(address(answered, "act/"), {"do": do}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_the_choice_of_a_model_is_stored_at_once(
    alice: Actor, answered: Run, model: LanguageModel, signed_in: SignIn
) -> None:
    signed_in(alice).post(address(answered, "model/"), {"model": "openai/gpt-x"})
    assert Conversation.objects.get().model == "openai/gpt-x"


def test_a_conversation_is_renamed_and_deleted(alice: Actor, answered: Run, signed_in: SignIn) -> None:
    signed_in(alice).post(address(answered, "rename/"), {"title": "  A  better\ttitle "})
    assert Conversation.objects.get().title == "A better title"
    answer = signed_in(alice).post(address(answered, "delete/"), follow=True)
    assert Conversation.objects.count() == 0
    assert "Deleted “A better title”." in answer.content.decode()


def test_search_finds_titles_and_lines(alice: Actor, answered: Run, signed_in: SignIn) -> None:
    for words in ("greet", "**YOU**"):
        assert "Greetings" in signed_in(alice).get("/search/", {"q": words}).content.decode()
    assert "Nothing found" in signed_in(alice).get("/search/", {"q": "zebra"}).content.decode()


def test_a_long_conversation_shows_its_end_and_the_way_to_the_rest(alice: Actor, signed_in: SignIn) -> None:
    conversation = long_conversation(alice, 40)
    page = signed_in(alice).get(f"/c/{conversation.pk}/").content.decode()
    assert page.count('<article class="turn') == 30
    assert "Answer 39" in page
    assert "Question 10" not in page
    assert "?turns=60" in page


@pytest.mark.parametrize("pairs", [5, 100])
def test_a_page_costs_twelve_queries_at_any_length(
    alice: Actor, model: LanguageModel, signed_in: SignIn, pairs: int, settings: Any
) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    client = signed_in(alice)
    conversation = long_conversation(alice, pairs)
    client.get("/models/")  # the catalog is in memory, until somebody changes it
    with CaptureQueriesContext(connection) as seen:
        assert client.get(f"/c/{conversation.pk}/").status_code == 200
    assert len(seen) <= 12, "\n".join(query["sql"][:160] for query in seen)
