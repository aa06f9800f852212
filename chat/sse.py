"""Streams for programs: the journal of one run as server-sent events, resumable from any sequence."""

import time
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.db.models import Q
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from accounts.actors import Scope, actor_from_scope, scope_of, still
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from chat.database import in_db
from chat.models import Run
from chat.protocol import Entry
from chat.reading import Reader

SCOPE = "chat"
PING_SECONDS = 15.0
GUARD_SECONDS = 3.0
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class Data(msgspec.Struct, rename="camel"):
    stream_id: UUID
    sequence: int
    data: dict[str, object]


@login_not_required  # closed all the same: who asks is decided below, by token or by session
@require_GET
async def events(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """`GET /api/v1/runs/<run or stream id>/events`: the run's events from after `Last-Event-ID` or `?after=`."""
    scope = scope_of(request, "Authorization", "Cookie")
    actor = await actor_from_scope(scope)
    if actor is None:
        raise Problem(401, "not_signed_in", "Nobody is signed in.", "Sign in, or send a valid API token.")
    if not actor.may(SCOPE):
        raise Problem(403, "scope_missing", "This needs an API token with the scope chat.")
    stream_id = await in_db(_stream_of, actor, pk)
    after = position(request.headers.get("Last-Event-ID", ""), request.GET.get("after", ""), stream_id)
    body = _body(stream_id, after, actor, scope)
    return StreamingHttpResponse(body, content_type="text/event-stream", headers=HEADERS)


def _stream_of(actor: Actor, pk: UUID) -> UUID:
    """Raises Problem 404 for a foreign run as for a missing one."""
    visible = Run.objects.visible_to(actor).filter(Q(pk=pk) | Q(stream_id=pk))
    stream_id: UUID | None = visible.values_list("stream_id", flat=True).first()
    if stream_id is None:
        raise not_found()
    return stream_id


def position(last_event_id: str, after: str, stream_id: UUID) -> int:
    """The sequence to go on from. `Last-Event-ID` (`<stream id>:<sequence>`) wins, since a client that reconnects
    sends the same address again. Raises Problem 400 for what is not a position in this stream."""
    stream, _, sequence = last_event_id.strip().rpartition(":")
    if last_event_id.strip() and stream != str(stream_id):
        raise _no_position()
    number = sequence or after or "0"
    if not (number.isascii() and number.isdigit()) or len(number) > 15:
        raise _no_position()
    return int(number)


def _no_position() -> Problem:
    detail = "Send an id that this stream gave out, or ?after= with a whole number."
    return Problem(400, "invalid_position", "This is no position in the stream.", detail)


async def _body(stream_id: UUID, after: int, actor: Actor, scope: Scope) -> AsyncIterator[bytes]:
    """Ends after the terminal event, or when whoever asked may no longer read it."""
    yield b": connected\n\n"
    spoken = checked = time.monotonic()
    with Reader(stream_id, after) as reader:
        while not reader.ended:
            entries = await reader.take(max(0.0, checked + GUARD_SECONDS - time.monotonic()))
            now = time.monotonic()
            if now - checked >= GUARD_SECONDS:
                checked = now
                if await still(actor, scope, SCOPE) is None:
                    return
            if entries:
                spoken = now
                yield b"".join(_event(stream_id, entry) for entry in entries)
            elif now - spoken >= PING_SECONDS - GUARD_SECONDS / 2:
                spoken = now
                yield b": ping\n\n"


def _event(stream_id: UUID, entry: Entry) -> bytes:
    data = msgspec.json.encode(Data(stream_id, entry.sequence, dict(entry.data)))
    return f"event: {entry.event_type}\nid: {stream_id}:{entry.sequence}\ndata: ".encode() + data + b"\n\n"
