"""Open pages learn of a provider's health over their socket: at once, and when it changes for them."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.policies import Actor
from chat import frames
from providers import credentials, health, renewal, session_keeping
from providers.models import Credential
from providers.session_keeping import Given
from providers.sessions.base import Fetched
from tests.chat.doors.test_socket import ask, open_for, said
from tests.providers.people import page_client

pytestmark = [pytest.mark.anyio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def installed(settings: Any) -> None:
    settings.PROVIDER_KEYS = {"openai": "sk-live-0123456789abcdef4f2a"}


check = sync_to_async(health.record_check)


def shown(frame: dict[str, object]) -> str:
    marks = frame["providers"]
    assert isinstance(marks, list)
    return str(next(mark for mark in marks if mark["provider_id"] == "openai")["text"])


async def test_what_is_stored_is_told_at_once_also_after_a_restart(alice: Actor) -> None:
    await check("openai", "timeout", 30_000)
    async with open_for(alice) as line:
        await ask(line, t="watch_health")
        frame = (await said(line, "health"))[-1]
    assert shown(frame) == "Not responding"
    assert frame["summary"] == {"state": "down", "text": "1 down"}


async def test_a_change_reaches_an_open_page_and_no_change_is_quiet(alice: Actor) -> None:
    await check("openai", "", 40)
    async with open_for(alice) as line:
        await ask(line, t="watch_health")
        assert shown((await said(line, "health"))[-1]) == "Operational"
        await check("openai", "", 40)
        assert await line.receive_nothing(0.3)
        await check("openai", "timeout", 30_000)
        assert shown((await said(line, "health", 2))[-1]) == "Degraded"


async def test_everybody_is_told_how_it_is_for_them(alice: Actor, charlie: Actor) -> None:
    from providers.credentials import save

    key = "sk-live-0123456789abcdef4f2a"
    await sync_to_async(save)(charlie, provider_id="openai", secret=key, shared=False)
    await check("openai", "invalid_auth", 40)
    async with open_for(alice) as hers, open_for(charlie) as his:
        for line in (hers, his):
            await ask(line, t="watch_health")
        assert shown((await said(hers, "health"))[-1]) == "Key refused"
        assert shown((await said(his, "health"))[-1]) == "Not checked yet"


def renewed(row: Credential) -> None:
    renewal._store(row, Fetched("sk-renewed-aaaaaaaaaaaaaaaaaaaaaa", timezone.now().timestamp() + 3600))


def ended(row: Credential) -> None:
    Credential.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    assert renewal.note_ended() == 1


def removed(row: Credential) -> None:
    row.delete()
    credentials.changed.send(Credential, provider_id=row.provider_id)


@pytest.mark.parametrize("change", [renewed, ended, removed])
async def test_a_credential_that_changed_reaches_those_who_may_use_it(
    alice: Actor, charlie: Actor, change: Callable[[Credential], None]
) -> None:
    end = timezone.now() + timedelta(hours=1)
    given = Given("openai", "sk-session-aaaaaaaaaaaaaaaaaaaaaaaa9c1e", shared=True, expires_at=end)
    row = await sync_to_async(session_keeping.save)(alice, given)
    async with open_for(alice) as hers, open_for(charlie) as his:
        for line in (hers, his):
            await ask(line, t="watch_health")
        before = (await said(hers, "health"))[-1]["credentials"]
        await said(his, "health")
        await sync_to_async(change)(row)
        after = (await said(hers, "health"))[-1]["credentials"]
        assert await his.receive_nothing(0.3)
    assert before != after
    assert after == await sync_to_async(shown_by_page)(alice)


def shown_by_page(actor: Actor) -> str:
    """What the settings page says it shows."""
    page = page_client(actor).get("/settings/providers/?part=1").content.decode()
    return re.findall(r'data-credentials="([0-9a-f]+)"', page)[0]


async def test_asking_twice_is_one_subscription(alice: Actor) -> None:
    async with open_for(alice) as line:
        for _ in range(18):
            await ask(line, t="watch_health")
        frames_heard = await said(line, "health")
        await ask(line, t="ping")
        assert {frame["t"] for frame in frames_heard + await said(line, "pong")} == {"health", "pong"}


async def test_the_frame_is_one_of_the_closed_set() -> None:
    assert isinstance(frames.parse(json.dumps({"t": "watch_health"})), frames.WatchHealth)
