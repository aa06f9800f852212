"""Real answers, through the runner and the sandbox, are what a provider's health is made of."""

import time

import pytest
from asgiref.sync import async_to_sync

from accounts.policies import Actor
from chat import runs
from chat.protocol import Command
from providers.models import HealthSample, ProviderHealth
from tests.chat.engine.rows import read_all
from tests.faults.servers import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
MODEL = "gemini/gemini-sandbox-pro"


def state() -> str:
    return ProviderHealth.objects.filter(pk="gemini").values_list("state", flat=True).first() or ""


def ask(actor: Actor, text: str, wanted: str) -> str:
    """The provider's state, once the answer is over and its state is the wanted one or ten seconds have passed."""
    run = runs.start(actor, Command(text=text, model=MODEL))
    async_to_sync(read_all)(run.stream_id)
    deadline = time.monotonic() + 10
    while state() != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return state()


def test_answers_make_a_provider_healthy_and_cut_ones_do_not(running: Sandbox, alice: Actor) -> None:
    assert ask(alice, "Hello /tokens 5", "ok") == "ok"
    sample = HealthSample.objects.get(provider_id="gemini", kind="run")
    assert (sample.passed, sample.failed) == (1, 0)
    assert sum(sample.times) == 1
    assert ask(alice, "Hello /fault cut after 2", "ok") == "ok"  # one of two is not yet a rule
    assert ask(alice, "Hello /fault cut after 2", "degraded") == "degraded"


def test_a_refused_request_leaves_it_alone(running: Sandbox, alice: Actor) -> None:
    assert ask(alice, "Hello /tokens 5", "ok") == "ok"
    for _ in range(3):
        async_to_sync(read_all)(runs.start(alice, Command(text="Hi /fault bad_key", model=MODEL)).stream_id)
    time.sleep(2.5)
    assert state() == "ok"
