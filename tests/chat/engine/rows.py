"""Rows of a conversation for engine tests."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from accounts.policies import Actor
from catalog.models import Context
from chat.journal import follow
from chat.ledger import LEASE
from chat.models import Conversation, Message, Run, StreamEvent
from chat.protocol import Entry


def make_conversation(actor: Actor, **over: Any) -> Conversation:
    return Conversation.objects.create(workspace_id=actor.workspace_id, owner_id=actor.user_id, **over)


def make_run(actor: Actor, owner: str = "here", lease: timedelta = LEASE, **over: Any) -> Run:
    """A running run with a question and an empty answer."""
    conversation = make_conversation(actor)
    asked = Message.objects.create(conversation=conversation, role="user", parts=[{"type": "text", "text": "Hello"}])
    answer = Message.objects.create(conversation=conversation, parent=asked, role="assistant")
    values = {
        "stream_id": answer.pk,
        "context": Context.CHAT,
        "workspace_id": actor.workspace_id,
        "user_id": actor.user_id,
        "conversation": conversation,
        "answer": answer,
        "branch": uuid.uuid4(),
        "state": Run.State.RUNNING,
        "lease_owner": owner,
        "lease_until": Now() + lease,
    }
    return Run.objects.create(**(values | over))


def stored(run: Run) -> list[Entry]:
    rows = StreamEvent.objects.filter(run=run).order_by("sequence")
    return [Entry(*row) for row in rows.values_list("sequence", "event_type", "data")]


async def read_all(stream_id: uuid.UUID, after: int = 0, seconds: float = 20) -> list[Entry]:
    """Everything `follow` gives until the stream ends."""
    entries: list[Entry] = []
    async with asyncio.timeout(seconds):
        async for batch in follow(stream_id, after):
            entries += batch
    return entries
