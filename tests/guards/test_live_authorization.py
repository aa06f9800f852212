"""Streams and sockets: which frame may name what, and that foreign is the same as missing there too."""

import json
from typing import Any, get_args

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import AsyncClient

from accounts.policies import Actor
from chat import frames
from chat.routing_ws import websocket_urlpatterns
from tests.chat.doors.conftest import session_cookie
from tests.chat.doors.test_socket import APPLICATION
from tests.chat.engine.rows import make_run
from tests.guards.authorization.world import NOWHERE

pytestmark = [pytest.mark.anyio, pytest.mark.django_db(transaction=True)]

# Every address, and for every frame the field that names something and of which kind it is.
ADDRESSES = {"ws/stream/"}
FRAMES: dict[str, tuple[str, str] | None] = {
    "follow": ("stream", "stream"),
    "stop": ("stream", "stream"),
    "watch": ("conversation", "conversation"),
    "leave": None,  # forgets what this very socket asked for
    "watch_health": None,
    "ping": None,
}


def test_every_address_and_every_frame_has_a_line() -> None:
    assert {str(entry.pattern) for entry in websocket_urlpatterns} == ADDRESSES
    assert {kind.__struct_config__.tag for kind in get_args(frames.Ask.__value__)} == set(FRAMES)


async def said(actor: Actor, frame: dict[str, Any]) -> str:
    """The first answer to a frame, without the id in it."""
    cookie = await sync_to_async(session_cookie)(actor)
    line = WebsocketCommunicator(APPLICATION, "/ws/stream/", headers=[(b"cookie", f"sessionid={cookie}".encode())])
    assert (await line.connect())[0]
    await line.send_to(json.dumps(frame))
    answer = await line.receive_from(10)
    await line.disconnect()
    named = frame.get("stream") or frame.get("conversation") or "-"
    return str(answer).replace(str(named), "ID")


@pytest.mark.parametrize("tag", [tag for tag, named in FRAMES.items() if named])
async def test_a_frame_that_names_anothers_is_answered_as_one_that_names_nothing(
    alice: Actor, bob: Actor, charlie: Actor, tag: str
) -> None:
    field, kind = FRAMES[tag] or ("", "")
    ids = [NOWHERE]
    for owner in (alice, charlie):
        run = await sync_to_async(make_run)(owner)
        ids.append(str(run.stream_id if kind == "stream" else run.conversation_id))
    answers = {await said(bob, {"t": tag, field: pk}) for pk in ids}
    assert answers == {'{"t": "error", "code": "not_found", "stream": "ID"}'}


async def test_anothers_stream_is_a_404_as_a_missing_one_is(alice: Actor, bob: Actor, charlie: Actor) -> None:
    client = AsyncClient()
    client.cookies["sessionid"] = await sync_to_async(session_cookie)(bob)
    answers = set()
    for pk in (NOWHERE, *[(await sync_to_async(make_run)(owner)).pk for owner in (alice, charlie)]):
        answer = await client.get(f"/api/v1/runs/{pk}/events")
        answers.add((answer.status_code, answer.content))
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert (await AsyncClient().get(f"/api/v1/runs/{NOWHERE}/events")).status_code == 401
