"""Streams as server-sent events: the whole log, from any sequence, for whoever may read it."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from django.test import AsyncClient

from accounts.actors import WORKSPACE_KEY
from accounts.models import ApiToken, Membership, User
from accounts.policies import Actor
from chat import sse
from chat.models import Run
from tests.chat.doors.conftest import bearer, finish, session_cookie, text, write
from tests.factories import make_workspace

pytestmark = [pytest.mark.anyio, pytest.mark.django_db(transaction=True)]
PAST = datetime(2026, 1, 1, tzinfo=UTC)


def address(run: Run, query: str = "") -> str:
    return f"/api/v1/runs/{run.pk}/events{query}"


async def opened(run: Run, headers: dict[str, str], query: str = "") -> Any:
    return await AsyncClient().get(address(run, query), headers=headers)


async def read(response: Any, seconds: float = 10) -> str:
    async with asyncio.timeout(seconds):
        return b"".join([piece async for piece in response.streaming_content]).decode()


def events(body: str) -> list[tuple[str, str, Any]]:
    """(type, id, data) of every event."""
    found = []
    for block in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


@pytest.fixture
def headers(alice: Actor) -> dict[str, str]:
    return bearer(alice)


async def test_a_finished_stream_is_replayed_whole_and_ends(answered: Run, headers: dict[str, str]) -> None:
    response = await opened(answered, headers)
    body = await read(response)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-cache, no-transform"
    assert response["X-Accel-Buffering"] == "no"
    assert body.startswith(": connected\n\n")
    stream = str(answered.stream_id)
    assert [(kind, name) for kind, name, _ in events(body)] == [
        ("status", f"{stream}:1"),
        ("content_delta", f"{stream}:2"),
        ("done", f"{stream}:3"),
    ]
    assert events(body)[1][2] == {"streamId": stream, "sequence": 2, "data": {"delta": "Hello **you**"}}


async def test_the_stream_id_is_an_address_too(answered: Run, headers: dict[str, str]) -> None:
    response = await AsyncClient().get(f"/api/v1/runs/{answered.stream_id}/events", headers=headers)
    assert len(events(await read(response))) == 3


async def test_reading_goes_on_after_the_last_event_that_was_seen(answered: Run, headers: dict[str, str]) -> None:
    seen = {"Last-Event-ID": f"{answered.stream_id}:2"}
    by_header = events(await read(await opened(answered, headers | seen, "?after=1")))
    by_query = events(await read(await opened(answered, headers, "?after=2")))
    assert [kind for kind, _, _ in by_header] == [kind for kind, _, _ in by_query] == ["done"]


@pytest.mark.parametrize("seen", ["nonsense", "00000000-0000-0000-0000-000000000001:2", ":2", "2"])
async def test_an_id_of_no_event_here_is_refused(answered: Run, headers: dict[str, str], seen: str) -> None:
    response = await opened(answered, headers | {"Last-Event-ID": seen})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_position")


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 30, "²"])
async def test_a_position_that_is_no_number_is_refused(answered: Run, headers: dict[str, str], after: str) -> None:
    response = await opened(answered, headers, f"?after={after}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_position")


async def test_a_running_stream_is_followed_to_its_end(running: Run, headers: dict[str, str]) -> None:
    response = await opened(running, headers)
    reading = asyncio.create_task(read(response))
    await asyncio.sleep(0.2)
    await sync_to_async(write)(running, text(" wor"), start=3)
    await asyncio.sleep(0.2)
    await sync_to_async(finish)(running, text("ld"), start=4)
    told = events(await reading)
    assert [data["sequence"] for _, _, data in told] == [1, 2, 3, 4, 5]
    assert "".join(data["data"]["delta"] for kind, _, data in told if kind == "content_delta") == "Hello world"


async def test_silence_is_filled_with_pings(
    running: Run, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "GUARD_SECONDS", 0.05)
    monkeypatch.setattr(sse, "PING_SECONDS", 0.2)
    content = (await opened(running, headers)).streaming_content
    pieces = [await anext(content) for _ in range(4)]
    await content.aclose()
    assert pieces[0] == b": connected\n\n"
    assert pieces[2:] == [b": ping\n\n", b": ping\n\n"]


@pytest.mark.parametrize(
    "loss",
    [
        lambda: Membership.objects.all().delete(),
        lambda: User.objects.update(is_active=False),
        lambda: ApiToken.objects.update(revoked_at=PAST),
        lambda: ApiToken.objects.update(expires_at=PAST),
    ],
    ids=["membership", "account", "revoked token", "expired token"],
)
async def test_who_may_not_read_it_any_more_is_cut_off(
    running: Run, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch, loss: Callable[[], Any]
) -> None:
    monkeypatch.setattr(sse, "GUARD_SECONDS", 0.05)
    await cut_off(await opened(running, headers), loss)


async def test_a_session_that_looks_elsewhere_is_cut_off(
    running: Run, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "GUARD_SECONDS", 0.05)
    cookie = await sync_to_async(session_cookie)(alice)
    await cut_off(await opened(running, {"Cookie": f"sessionid={cookie}"}), lambda: _look_elsewhere(alice, cookie))


async def cut_off(response: Any, loss: Callable[[], Any]) -> None:
    """Reads what there is, loses the right to, and comes to the end with nothing more."""
    content, body = response.streaming_content, b""
    async with asyncio.timeout(20):
        while b"content_delta" not in body:
            body += await anext(content)
        await sync_to_async(loss)()
        body += b"".join([piece async for piece in content])
    assert [kind for kind, _, _ in events(body.decode())] == ["status", "content_delta"]


def _look_elsewhere(actor: Actor, cookie: str) -> None:
    other = make_workspace("Other")
    Membership.objects.create(user_id=actor.user_id, workspace=other)
    session = SessionStore(cookie)
    session[WORKSPACE_KEY] = str(other.pk)
    session.save()


async def test_an_event_does_not_put_off_the_next_look_at_who_reads(
    running: Run, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each wait ends no later than the look that is due, whatever arrived before it."""
    looks: list[float] = []
    ends: list[float] = []
    second, third = asyncio.Event(), asyncio.Event()
    take, who = sse.Reader.take, sse.actor_from_scope

    async def looking(scope: Any) -> Any:
        if looks:
            looks.append(time.monotonic())
        return await who(scope)

    async def waiting(reader: Any, seconds: float) -> Any:
        now = time.monotonic()
        if not looks:  # the stream begins
            looks.append(now)
        ends.append(now + seconds - looks[-1])
        if len(ends) > 1:
            (second if len(ends) == 2 else third).set()
        return await take(reader, seconds)

    monkeypatch.setattr(sse, "actor_from_scope", looking)
    monkeypatch.setattr(sse.Reader, "take", waiting)
    reading = asyncio.create_task(read(await opened(running, headers), seconds=30))
    async with asyncio.timeout(20):
        await second.wait()  # what there was is taken, and more is waited for
        await asyncio.sleep(0.5)
        await sync_to_async(write)(running, text(" wor"), start=3)
        await third.wait()
        await sync_to_async(finish)(running, text("ld"), start=4)
        await reading
    assert max(ends) <= sse.GUARD_SECONDS + 0.1


async def test_a_session_reads_as_a_token_does(answered: Run, alice: Actor) -> None:
    cookie = await sync_to_async(session_cookie)(alice)
    response = await opened(answered, {"Cookie": f"sessionid={cookie}"})
    assert len(events(await read(response))) == 3


async def test_five_thousand_events_arrive_in_order(running: Run, headers: dict[str, str]) -> None:
    await sync_to_async(finish)(running, *(text(f"{number} ") for number in range(5_000)), start=3)
    told = events(await read(await opened(running, headers)))
    assert [data["sequence"] for _, _, data in told] == list(range(1, 5_004))


async def test_nothing_is_lost_between_reading_and_following(
    alice: Actor, running: Run, headers: dict[str, str]
) -> None:
    async def author() -> None:
        for number in range(30):
            await sync_to_async(write)(running, text(f"{number} "), start=3 + number)
        await sync_to_async(finish)(running, start=33)

    writing = asyncio.create_task(author())
    readers = [read(await opened(running, headers), seconds=30) for _ in range(5)]
    for body in await asyncio.gather(*readers):
        assert [data["sequence"] for _, _, data in events(body)] == list(range(1, 34))
    await writing
