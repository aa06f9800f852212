"""The pages' socket: who may open it, what it answers, and what it refuses."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session

from accounts.models import ApiToken, Membership, User, Workspace
from accounts.policies import Actor
from chat import consumers, runs, sse
from chat.models import Message, Run
from chat.protocol import Command
from chat.routing_ws import websocket_urlpatterns
from tests.chat.doors.conftest import finish, session_cookie, text, token_of, write

pytestmark = [pytest.mark.anyio, pytest.mark.django_db(transaction=True)]
APPLICATION = URLRouter(websocket_urlpatterns)
PAST = datetime(2026, 1, 1, tzinfo=UTC)
LOSSES: dict[str, Callable[[], Any]] = {
    "session": lambda: Session.objects.all().delete(),
    "membership": lambda: Membership.objects.all().delete(),
    "account": lambda: User.objects.update(is_active=False),
    "workspace": lambda: Workspace.objects.all().delete(),
}


def socket(*headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
    return WebsocketCommunicator(APPLICATION, "/ws/stream/", headers=list(headers))


def cookie(value: str) -> tuple[bytes, bytes]:
    return b"cookie", f"sessionid={value}".encode()


@asynccontextmanager
async def open_for(actor: Actor) -> AsyncIterator[WebsocketCommunicator]:
    line = socket(cookie(await sync_to_async(session_cookie)(actor)))
    assert (await line.connect())[0]
    yield line
    await line.disconnect()


async def said(line: WebsocketCommunicator, wanted: str, seconds: float = 5) -> list[dict[str, Any]]:
    """Frames up to and including the first of the wanted kind."""
    frames: list[dict[str, Any]] = []
    async with asyncio.timeout(seconds):
        while not frames or frames[-1]["t"] != wanted:
            frames.append(json.loads(await line.receive_from(seconds)))
    return frames


async def ask(line: WebsocketCommunicator, **frame: Any) -> None:
    await line.send_to(json.dumps(frame, default=str))


async def closed_with(line: WebsocketCommunicator, seconds: float = 5) -> int:
    async with asyncio.timeout(seconds):
        while (message := await line.receive_output(seconds))["type"] != "websocket.close":
            pass
    return int(message["code"])


async def test_nobody_opens_it_without_signing_in(db: None) -> None:
    assert await socket().connect() == (False, 4401)
    assert await socket(cookie("x" * 32)).connect() == (False, 4401)


async def test_a_token_needs_the_scope(alice: Actor) -> None:
    refused = await sync_to_async(token_of)(alice, "models")
    assert await socket((b"authorization", f"Bearer {refused}".encode())).connect() == (False, 4401)
    fitting = await sync_to_async(token_of)(alice, "chat")
    line = socket((b"authorization", f"Bearer {fitting}".encode()))
    assert (await line.connect())[0]
    await line.disconnect()


async def test_a_token_in_the_address_is_no_token(alice: Actor) -> None:
    token = await sync_to_async(token_of)(alice)
    line = WebsocketCommunicator(APPLICATION, f"/ws/stream/?token={token}")
    assert await line.connect() == (False, 4401)


async def test_a_viewer_with_nothing_gets_a_snapshot_and_then_what_is_new(alice: Actor, running: Run) -> None:
    async with open_for(alice) as line:
        await ask(line, t="follow", stream=running.stream_id)
        snapshot = (await said(line, "s"))[-1]
        assert snapshot["q"] == 2
        assert "Hello" in snapshot["h"]
        await sync_to_async(finish)(running, text(" world"), start=3)
        frames = await said(line, "end")
        assert [frame["t"] for frame in frames] == ["x", "c", "a", "end"] or [frame["t"] for frame in frames] == [
            "c",
            "a",
            "end",
        ]
        assert frames[-1]["q"] == 4
        assert {frame["stream"] for frame in frames} == {str(running.stream_id)}


async def test_a_page_goes_on_from_where_it_was_drawn(alice: Actor, running: Run) -> None:
    await sync_to_async(write)(running, text(" wor"), start=3)
    async with open_for(alice) as line:
        await ask(line, t="follow", stream=running.stream_id, after=2)
        frame = (await said(line, "x"))[-1]
        assert (frame["x"], frame["q"]) == (" wor", 3)


async def test_a_finished_stream_ends_at_once(alice: Actor, answered: Run) -> None:
    async with open_for(alice) as line:
        await ask(line, t="follow", stream=answered.stream_id)
        frames = await said(line, "end")
        assert "<strong>you</strong>" in frames[0]["h"]
        assert "Regenerate" in frames[-1]["tools"]


@pytest.mark.parametrize("who", ["bob", "charlie"])
async def test_a_foreign_stream_is_a_missing_one(request: pytest.FixtureRequest, running: Run, who: str) -> None:
    stranger: Actor = await sync_to_async(request.getfixturevalue)(who)
    nothing = uuid.UUID(int=7)
    async with open_for(stranger) as line:
        for kind in ("follow", "stop"):
            answers = []
            for stream in (running.stream_id, nothing):
                await ask(line, t=kind, stream=stream)
                answers.append((await said(line, "error"))[-1] | {"stream": ""})
            assert answers[0] == answers[1] == {"t": "error", "code": "not_found", "stream": ""}
        await ask(line, t="watch", conversation=running.conversation_id)
        assert (await said(line, "error"))[-1]["code"] == "not_found"
    await sync_to_async(running.refresh_from_db)()
    assert running.stop_requested_at is None


async def test_stop_is_asked_for_over_the_socket(alice: Actor, running: Run) -> None:
    async with open_for(alice) as line:
        await ask(line, t="stop", stream=running.stream_id)
        async with asyncio.timeout(5):
            while running.stop_requested_at is None:
                await asyncio.sleep(0.05)
                await sync_to_async(running.refresh_from_db)()


@pytest.mark.parametrize(
    "frame",
    ["?", "nonsense", "[]", "{}", '{"t":"execute","code":"x"}', '{"t":"follow"}', '{"t":"follow","stream":"x"}',
     '{"t":"follow","stream":"00000000-0000-0000-0000-000000000001","after":-1}', "\x00", '{"t":"ping"', "null"],
)  # fmt: skip
async def test_a_malformed_frame_is_answered_and_nothing_else_changes(alice: Actor, running: Run, frame: str) -> None:
    async with open_for(alice) as line:
        await ask(line, t="follow", stream=running.stream_id)
        await said(line, "s")
        await line.send_to(frame)
        assert (await said(line, "error"))[-1] == {"t": "error", "code": "malformed"}
        await sync_to_async(finish)(running, start=3)
        await said(line, "end")


async def test_bytes_are_no_frame(alice: Actor) -> None:
    async with open_for(alice) as line:
        await line.send_to(bytes_data=b'{"t":"ping"}')
        assert (await said(line, "error"))[-1]["code"] == "malformed"


async def test_a_frame_that_is_too_large_closes_the_socket(alice: Actor) -> None:
    async with open_for(alice) as line:
        await line.send_to("x" * 70_000)
        assert await closed_with(line) == 1009


async def test_a_flood_closes_the_socket(alice: Actor) -> None:
    async with open_for(alice) as line:
        for _ in range(25):
            await ask(line, t="ping")
        assert await closed_with(line) == 1008


async def test_subscriptions_are_bounded(alice: Actor) -> None:
    made = [await sync_to_async(runs.start)(alice, Command(text="Hello")) for _ in range(17)]
    async with open_for(alice) as line:
        for run in made:
            await ask(line, t="follow", stream=run.stream_id)
            await asyncio.sleep(0.06)
        assert (await said(line, "error"))[-1]["code"] == "too_many_subscriptions"


async def test_a_new_question_reaches_the_other_windows(alice: Actor, answered: Run) -> None:
    async with open_for(alice) as line:
        known = await sync_to_async(lambda: Message.objects.get(pk=answered.answer_id).created_at)()
        await ask(line, t="watch", conversation=answered.conversation_id, since=known.isoformat())
        command = Command(text="And now?", conversation_id=answered.conversation_id)
        run = await sync_to_async(runs.start)(alice, command)
        frame = (await said(line, "turn"))[0]
        assert frame["parent"] == str(answered.answer_id)
        assert "And now?" in frame["html"]
        assert str(run.answer_id) in frame["html"]
        assert await line.receive_nothing(0.3)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
async def test_a_sign_out_or_a_lost_membership_closes_it(
    alice: Actor, running: Run, monkeypatch: pytest.MonkeyPatch, loss: Callable[[], Any]
) -> None:
    monkeypatch.setattr(consumers, "GUARD_SECONDS", 0.1)
    async with open_for(alice) as line:
        await ask(line, t="follow", stream=running.stream_id)
        await said(line, "s")
        await sync_to_async(loss)()
        assert await closed_with(line) == 4401


@pytest.mark.parametrize("change", [{"revoked_at": PAST}, {"expires_at": PAST}, {"scopes": ["models"]}])
async def test_a_token_that_ends_closes_what_it_opened(
    alice: Actor, running: Run, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    monkeypatch.setattr(consumers, "GUARD_SECONDS", 0.1)
    token = await sync_to_async(token_of)(alice)
    line = socket((b"authorization", f"Bearer {token}".encode()))
    assert (await line.connect())[0]
    await ask(line, t="follow", stream=running.stream_id)
    await said(line, "s")
    await ApiToken.objects.aupdate(**change)
    assert await closed_with(line) == 4401
    await line.disconnect()


def test_five_seconds_are_enough_for_an_open_socket_and_an_open_stream() -> None:
    """The look itself takes a moment more; on a busy machine a long one."""
    assert consumers.GUARD_SECONDS <= 3
    assert sse.GUARD_SECONDS <= 3


async def test_a_closed_window_leaves_the_run_alone_and_no_task_behind(alice: Actor, running: Run) -> None:
    before = asyncio.all_tasks()
    async with open_for(alice) as line:
        await ask(line, t="follow", stream=running.stream_id)
        await said(line, "s")
    await asyncio.sleep(0.2)
    assert asyncio.all_tasks() - before == set()
    await sync_to_async(running.refresh_from_db)()
    assert (running.state, running.stop_requested_at) == (Run.State.RUNNING, None)
