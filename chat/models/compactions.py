"""What stands for the older messages of a branch once they no longer fit."""

import uuid
from typing import ClassVar, Self

from django.db import models

from accounts.policies import Actor
from chat.models.conversations import Conversation, Message
from chat.models.runs import Run


class CompactionQuerySet(models.QuerySet["Compaction"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(conversation__workspace_id=actor.workspace_id, conversation__owner_id=actor.user_id)


class Compaction(models.Model):
    """A summary of every message up to `upto`, on whatever branch goes through it. The messages stay as they are.

    The newest one on a branch decides: while it holds, the summary is sent in their place; once it is revoked,
    everything is sent. `left_out` counts the attachments that a summary cannot carry.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="compactions")
    upto = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    summary = models.TextField()
    messages = models.PositiveIntegerField()
    left_out = models.PositiveIntegerField(default=0)
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Compaction"]] = CompactionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"summary of {self.messages} messages"

    @property
    def holds(self) -> bool:
        return self.revoked_at is None
