"""Conversations and the tree of their messages."""

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

from accounts.models import Workspace
from accounts.policies import Actor
from catalog.models import Context


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(workspace_id=actor.workspace_id, owner_id=actor.user_id)


class Conversation(models.Model):
    """An ordered tree of messages of one person in one workspace. `model` is the sticky choice, may be empty; `context`
    says whether messages are answered directly or by an orchestrator with specialists; `tools` are the keys of the
    tools that its runs have, null for the usual ones."""

    ANSWERED: ClassVar[tuple[tuple[str, str], ...]] = (
        (Context.CHAT.value, "Directly"),
        (Context.ORCHESTRATION.value, "With specialists"),
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="conversations")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=201, blank=True)
    tools = models.JSONField(null=True, default=None)
    context = models.CharField(max_length=16, choices=ANSWERED, default=Context.CHAT)
    # The newest leaf of the branch that is shown when nobody asked for another one.
    leaf = models.ForeignKey("Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Conversation"]] = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-updated_at"]
        indexes = [models.Index(fields=["owner", "workspace", "-updated_at"], name="conversation_list")]

    def __str__(self) -> str:
        return self.title or "New chat"


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(conversation__workspace_id=actor.workspace_id, conversation__owner_id=actor.user_id)


class Message(models.Model):
    """One contribution. `parts` is what `protocol.fold` gives, `native` the vendor's items for replay."""

    class Role(models.TextChoices):
        USER = "user", "You"
        ASSISTANT = "assistant", "Answer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    role = models.CharField(max_length=10, choices=Role)
    parts = models.JSONField(default=list)
    native = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Message"]] = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.role} {self.id}"

    @property
    def text(self) -> str:
        return "\n\n".join(part["text"] for part in self.parts if part["type"] == "text")

    @property
    def files(self) -> list[dict[str, Any]]:
        """The parts that name its attachments."""
        return [part for part in self.parts if part["type"] == "attachment"]
