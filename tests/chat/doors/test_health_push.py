"""Open pages learn of a provider's health over their socket: at once, and when it changes for them."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.policies import Actor
from chat import frames
from providers import health
from tests.chat.doors.test_socket import ask, open_for, said

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


async def test_asking_twice_is_one_subscription(alice: Actor) -> None:
    async with open_for(alice) as line:
        for _ in range(18):
            await ask(line, t="watch_health")
        frames_heard = await said(line, "health")
        await ask(line, t="ping")
        assert {frame["t"] for frame in frames_heard + await said(line, "pong")} == {"health", "pong"}


async def test_the_frame_is_one_of_the_closed_set() -> None:
    assert isinstance(frames.parse(json.dumps({"t": "watch_health"})), frames.WatchHealth)
