"""The two questions of a supervisor."""

import asyncio
import json
from typing import Any

import pytest
from django.test import AsyncClient

from project import health


@pytest.mark.anyio
async def test_alive_needs_no_storage_at_all() -> None:
    answer = await AsyncClient().get("/healthz")
    assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "alive"})


@pytest.mark.anyio
@pytest.mark.django_db(transaction=True)
async def test_ready_when_both_sides_take_a_write() -> None:
    answer = await AsyncClient().get("/readyz")
    assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "ready"})


@pytest.mark.anyio
@pytest.mark.django_db(transaction=True)
async def test_a_message_side_that_is_away_is_named(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": settings.REDIS_URL}
    }
    answer = await AsyncClient().get("/readyz")
    said = json.loads(answer.content)
    assert (answer.status_code, said["code"], said["failing"]) == (503, "not_ready", ["messages"])
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.anyio
async def test_a_side_that_hangs_costs_two_seconds_and_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "SECONDS", 0.05)
    asked = []

    async def hangs() -> bool:
        asked.append(1)
        await asyncio.sleep(0.3)
        return True

    assert await asyncio.gather(*(health.within("test side", hangs) for _ in range(5))) == [False] * 5
    assert len(asked) == 1
    await asyncio.sleep(0.4)
    assert await health.within("test side", instantly)


async def instantly() -> bool:
    return True
