"""Titles: after the first answer a small model names the conversation, unless somebody did, and nobody waits for it."""

import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from accounts.policies import Actor
from catalog.models import Context, ContextDefault
from chat import conversations, runs
from chat.audit_streams import faults
from chat.flows import titles
from chat.lists import recent
from chat.models import Conversation, Run
from chat.protocol import Command
from tests.chat.engine.rows import read_all
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "Please tell me what a lease is in a distributed system, and why its length matters so much in practice"


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.AUTO_TITLES = True


def answered(actor: Actor, text: str = QUESTION, **more: Any) -> Run:
    run = runs.start(actor, Command(text=text, **more))
    async_to_sync(read_all)(run.stream_id)
    return run


def title_run(run: Run, seconds: float = 10) -> Run:
    """The run that names the conversation, once it has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        made = Run.objects.filter(conversation=run.conversation_id, context=Context.SUMMARY).first()
        if made and made.state not in Run.ACTIVE:
            return made
        time.sleep(0.05)
    raise AssertionError("no title was written")


def title(run: Run) -> str:
    return Conversation.objects.get(pk=run.conversation_id).title


def test_the_first_answer_brings_a_title(running: Sandbox, alice: Actor) -> None:
    run = answered(alice)
    made = title_run(run)
    assert made.state == Run.State.DONE
    assert title(run) == "Lease distributed system its length"
    assert made.output["title"] == title(run)
    default = ContextDefault.objects.select_related("model").get(context="summary", user=None, workspace=None)
    assert made.served_model == default.model.key
    assert made.trace["candidates"][0]["why"] == "installation"
    assert made.credential_source == "sandbox"
    assert list(faults()) == []


def test_the_list_shows_the_model_that_answered_not_the_one_that_named(running: Sandbox, alice: Actor) -> None:
    run = answered(alice, model="gemini/gemini-3.8-flash") if _known("gemini/gemini-3.8-flash") else answered(alice)
    title_run(run)
    run.refresh_from_db()
    item = recent(alice)[0].items[0]
    assert (item.writing, item.provider) == (False, run.served_model.partition("/")[0])


def _known(key: str) -> bool:
    from catalog.models import LanguageModel

    return LanguageModel.objects.filter(model_id=key.partition("/")[2]).exists()


def test_a_title_is_written_once(running: Sandbox, alice: Actor) -> None:
    run = answered(alice)
    title_run(run)
    answered(alice, "And now?", conversation_id=run.conversation_id)
    time.sleep(0.5)
    assert Run.objects.filter(context=Context.SUMMARY).count() == 1


def test_a_title_that_somebody_gave_stays(running: Sandbox, alice: Actor) -> None:
    mine = conversations.create(alice, title="Mine")
    run = answered(alice, conversation_id=mine.pk)
    time.sleep(0.5)
    assert not Run.objects.filter(context=Context.SUMMARY).exists()
    assert title(run) == "Mine"


def test_a_title_given_in_the_meantime_stays(upstream: Sandbox, alice: Actor) -> None:
    run = runs.start(alice, Command(text=QUESTION))
    Run.objects.filter(pk=run.pk).update(state=Run.State.DONE)
    titles.enqueue(run)
    made = Run.objects.get(context=Context.SUMMARY)
    assert run.conversation_id is not None
    conversations.change(alice, run.conversation_id, title="Mine")
    titles._store(made, "Theirs")
    assert title(run) == "Mine"


def test_a_failed_title_leaves_the_placeholder(running: Sandbox, alice: Actor) -> None:
    """The person's own words steer the sandbox in the title's request as well: it refuses both."""
    run = answered(alice, "Tell me about leases /fault refusal")
    made = title_run(run)
    assert made.finish_reason == "refusal"
    assert title(run).startswith("Tell me about leases")
    assert "title" not in made.output


def test_without_a_default_that_answers_there_is_no_title(running: Sandbox, alice: Actor) -> None:
    ContextDefault.objects.filter(context="summary").delete()
    answered(alice)
    time.sleep(0.5)
    assert not Run.objects.filter(context=Context.SUMMARY).exists()


def test_the_operator_can_turn_titles_off(running: Sandbox, alice: Actor, settings: Any) -> None:
    settings.AUTO_TITLES = False
    answered(alice)
    time.sleep(0.5)
    assert not Run.objects.filter(context=Context.SUMMARY).exists()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Leases in practice", "Leases in practice"),
        ('# "Leases in practice."\n\nMore words', "Leases in practice"),
        ("\n\n**Title: Leases**", "Leases"),
        ("", ""),
        ("word " * 40, " ".join(["word"] * 16) + "…"),
    ],
)
def test_a_title_is_the_first_line_without_decoration(said: str, meant: str) -> None:
    assert titles.title_of(said) == meant
