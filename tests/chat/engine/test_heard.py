"""What a run that ended says about the providers that it tried."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.policies import Actor
from chat import heard
from chat.models import Run
from providers.errors import ErrorCode, ProviderError
from providers.guard import BREAKER_OPEN
from providers.models import ProviderHealth
from tests.chat.engine.rows import make_run


def line(provider: str, outcome: str, ms: int = 900, source: str = "environment") -> dict[str, Any]:
    return {"provider_id": provider, "model_id": "m", "credential_source": source, "outcome": outcome, "ms": ms}


def tried(actor: Actor, *lines: dict[str, Any]) -> Run:
    return make_run(actor, trace={"attempts": list(lines)})


def test_each_try_speaks_for_its_own_provider(alice: Actor) -> None:
    run = tried(alice, line("openai", "timeout"), line("gemini", "answered"))
    ended = timezone.now()
    run.first_content_at = ended - timedelta(milliseconds=600)
    found = heard.of(run, None, ended)
    assert [(one.provider_id, one.code, one.first_word_ms) for one in found] == [
        ("openai", "timeout", None),
        ("gemini", "", 300),
    ]


def test_a_stop_and_a_call_that_never_went_out_say_nothing(alice: Actor) -> None:
    assert heard.of(tried(alice, line("openai", "")), None) == []
    assert heard.of(make_run(alice), None) == []
    closed = ProviderError(ErrorCode.PROVIDER_UNAVAILABLE, "closed", provider_id="openai", detail=BREAKER_OPEN)
    assert heard.of(tried(alice, line("openai", "provider_unavailable")), closed) == []


@pytest.mark.anyio
@pytest.mark.django_db(transaction=True)
async def test_what_was_heard_is_handed_on_in_one_go(alice: Actor) -> None:
    from asgiref.sync import sync_to_async

    run = await sync_to_async(tried)(alice, *(line("openai", "provider_unavailable") for _ in range(3)))
    hearing = heard.Hearing()
    hearing.add(heard.of(run, None))
    await hearing.hand_on()
    await hearing.hand_on()
    row = await ProviderHealth.objects.aget()
    assert (row.state, len(row.recent)) == ("down", 3)
