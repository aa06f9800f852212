"""Which model a run goes to when a request, a conversation or an alias names one, and what a rule keeps back."""

import pytest
from asgiref.sync import async_to_sync

from accounts.policies import Actor
from catalog import naming
from catalog.models import LanguageModel, Rule
from chat import runs
from chat.models import Conversation, Run
from chat.protocol import Command
from tests.chat.engine.rows import read_all
from tests.faults.servers import Sandbox
from tests.providers.upstream import asked

pytestmark = pytest.mark.django_db(transaction=True)

FLASH = "gemini/gemini-sandbox-flash"


def answered(actor: Actor, command: Command) -> Run:
    run = runs.start(actor, command)
    async_to_sync(read_all)(run.stream_id)
    return Run.objects.get(pk=run.pk)


@pytest.mark.usefixtures("running")
def test_what_the_conversation_holds_is_told_apart_from_what_a_request_names(alice: Actor) -> None:
    first = answered(alice, Command(text="One", model=FLASH))
    assert (first.trace["candidates"][0]["why"], first.served_model) == ("request", FLASH)
    again = answered(alice, Command(text="Two", conversation_id=first.conversation_id))
    assert (again.trace["candidates"][0]["why"], again.served_model) == ("conversation", FLASH)


@pytest.mark.usefixtures("running")
def test_an_alias_is_asked_for_kept_and_shown(alice: Actor) -> None:
    naming.create(alice, name="fast", target=FLASH, reason="The quick one")
    run = answered(alice, Command(text="One", model="fast"))
    assert (run.requested_model, run.served_model) == ("fast", FLASH)
    assert (run.trace["alias"]["name"], run.trace["alias"]["target"]) == ("fast", FLASH)
    assert Conversation.objects.get(pk=run.conversation_id).model == "fast"


def test_a_denied_model_is_refused_and_nobody_is_called(alice: Actor, running: Sandbox) -> None:
    Rule.objects.create(workspace_id=alice.workspace_id, effect="deny", provider_id="gemini", reason="Not here.")
    before = len(asked(running.url))
    run = answered(alice, Command(text="One", model=FLASH))
    assert (run.state, run.error["code"], run.error["message"]) == ("failed", "policy_denied", "Not here.")
    assert len(asked(running.url)) == before


@pytest.mark.usefixtures("running")
def test_a_run_shows_the_catalog_what_its_model_can_do(alice: Actor) -> None:
    row = LanguageModel.objects.get(model_id="gemini-sandbox-pro")
    LanguageModel.objects.filter(pk=row.pk).update(supports_reasoning=None, evidence={})
    answered(alice, Command(text="Think about it", model=row.key))
    row.refresh_from_db()
    assert (row.supports_reasoning, row.evidence["reasoning"]["source"]) == (True, "observed")
