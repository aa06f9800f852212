"""The pages' socket: one connection, many subscriptions. It reads journals and asks for stops; it owns no run."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Coroutine
from datetime import datetime
from typing import Any
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from accounts.actors import actor_from_scope, still
from accounts.policies import Actor
from accounts.problems import Problem
from chat import frames, hub, runs
from chat.database import in_db
from chat.models import Conversation
from chat.viewing import frames_of, new_turns, open_stream, title_of
from providers import standing

SCOPE = "chat"
SIGNED_OUT = 4401
RULE_BROKEN = 1008
TOO_BIG = 1009
TRY_LATER = 1013
FRAMES_A_SECOND = 20
SUBSCRIPTIONS = 16
GUARD_SECONDS = 3.0
WATCH_SECONDS = 5.0
# A wake-up that was lost makes a mark late by so much.
HEALTH_SECONDS = 30.0


class StreamConsumer(AsyncWebsocketConsumer):
    """Frames in: `chat.frames`. Frames out: `chat.render.presentation`, `turn`, `health`, `pong` and `error{code}`."""

    actor: Actor

    async def connect(self) -> None:
        self.tasks: dict[UUID | str, asyncio.Task[None]] = {}
        self.received: deque[float] = deque(maxlen=FRAMES_A_SECOND)
        actor = await actor_from_scope(self.scope)
        if actor is None or not actor.may(SCOPE):
            await self.close(SIGNED_OUT)
            return
        self.actor = actor
        await self.accept()
        self._begin("guard", self._guard())

    async def disconnect(self, code: int) -> None:
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Decides and returns at once: a socket handles one frame at a time, and a stop must never wait."""
        now = time.monotonic()
        if len(self.received) == FRAMES_A_SECOND and now - self.received[0] < 1:
            await self.close(RULE_BROKEN)
            return
        self.received.append(now)
        if len(text_data or bytes_data or "") > frames.MAX_FRAME_CHARS:
            await self.close(TOO_BIG)
            return
        match frames.parse(text_data or ""):
            case frames.Follow(stream=stream, after=after):
                await self._subscribe(stream, self._follow(stream, after))
            case frames.Watch(conversation=conversation, since=since):
                await self._subscribe("watch", self._watch(conversation, since or timezone.now()))
            case frames.WatchHealth():
                await self._subscribe("health", self._watch_health())
            case frames.Leave(stream=stream):
                self._forget(stream)
            case frames.Stop(stream=stream):
                self._begin(f"stop:{stream}", self._stop(stream))
            case frames.Ping():
                await self.tell({"t": "pong"})
            case None:
                await self.tell({"t": "error", "code": "malformed"})

    async def tell(self, frame: dict[str, Any]) -> None:
        await self.send(json.dumps(frame))

    # ------------------------------------------------------------ tasks
    async def _subscribe(self, name: UUID | str, work: Coroutine[Any, Any, None]) -> None:
        self._forget(name)
        if len(self.tasks) > SUBSCRIPTIONS:
            work.close()
            await self.tell({"t": "error", "code": "too_many_subscriptions", "stream": str(name)})
            return
        self._begin(name, work)

    def _begin(self, name: UUID | str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self.tasks[name] = task
        task.add_done_callback(lambda done: self.tasks.pop(name, None) if self.tasks.get(name) is done else None)

    def _forget(self, name: UUID | str) -> None:
        if task := self.tasks.pop(name, None):
            task.cancel()

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Without a database there is nothing to show: the page comes back when there is one again."""
        try:
            await work
        except (OperationalError, InterfaceError):
            await self.close(TRY_LATER)

    # ------------------------------------------------------------ what was asked for
    async def _follow(self, stream: UUID, after: int) -> None:
        opened = await in_db(open_stream, self.actor, stream)
        if opened is None:
            await self._missing(str(stream))
            return
        async for group in frames_of(opened, after):
            for frame in group:
                await self.tell(frame | {"stream": str(stream)})

    async def _stop(self, stream: UUID) -> None:
        try:
            await in_db(runs.stop, self.actor, stream)
        except Problem:
            await self._missing(str(stream))

    async def _watch(self, conversation: UUID, since: datetime) -> None:
        visible = Conversation.objects.visible_to(self.actor).filter(pk=conversation)
        if not await in_db(visible.exists):
            await self._missing(str(conversation))
            return
        with hub.subscribe(f"conversation:{conversation}") as mailbox:
            title = await in_db(title_of, self.actor, conversation)
            while True:
                for made, frame in await in_db(new_turns, self.actor, conversation, since):
                    since = made
                    await self.tell(frame)
                if (now := await in_db(title_of, self.actor, conversation)) != title:
                    title = now
                    await self.tell({"t": "title", "x": title})
                await mailbox.get(WATCH_SECONDS)

    async def _watch_health(self) -> None:
        """The marks and the version of the credentials at once, and again when any of it is another for this person."""
        told: dict[str, object] = {}
        with hub.subscribe("health") as mailbox:
            while True:
                found = await in_db(standing.frame, self.actor)
                if found != told:
                    told = found
                    await self.tell({"t": "health"} | found)
                await mailbox.get(HEALTH_SECONDS)

    async def _missing(self, name: str) -> None:
        await self.tell({"t": "error", "code": "not_found", "stream": name})

    async def _guard(self) -> None:
        """A sign-out, a removed membership or a changed role reaches an open socket within five seconds."""
        while True:
            await asyncio.sleep(GUARD_SECONDS)
            actor = await still(self.actor, self.scope, SCOPE)
            if actor is None:
                await self.close(SIGNED_OUT)
                return
            self.actor = actor
