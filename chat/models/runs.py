"""The runs that answer, and the journal of each run."""

import uuid
from functools import reduce
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

from accounts.models import Workspace
from accounts.policies import Actor
from catalog.models import Context
from chat import usage
from chat.models.attachments import Attachment
from chat.models.conversations import Conversation, Message


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(workspace_id=actor.workspace_id, user_id=actor.user_id)

    def active(self) -> Self:
        return self.filter(state__in=Run.ACTIVE)


class Run(models.Model):
    """One request to a model in one context, from queued to its terminal event.

    `branch` names what the run continues (the parent of the user message, or the conversation itself): at most one
    run a branch is active. `lease_owner` is the process that writes; after `lease_until` anyone may close the run.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Answering"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"

    ACTIVE: ClassVar[tuple[str, ...]] = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    stream_id = models.UUIDField(unique=True, editable=False)
    context = models.CharField(max_length=16, choices=Context, default=Context.CHAT)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="runs")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, null=True, related_name="runs")
    # What a run of the context `doc` is about.
    document = models.ForeignKey(Attachment, on_delete=models.CASCADE, null=True, related_name="runs")
    answer = models.OneToOneField(Message, on_delete=models.CASCADE, null=True, related_name="run")
    branch = models.UUIDField()
    # The run that called for this one: written by the same process, it ends with it at the latest.
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="children")
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    requested_model = models.CharField(max_length=201, blank=True)
    # Whether it was the conversation that named the model, and not this request.
    sticky = models.BooleanField(default=False)
    served_model = models.CharField(max_length=201, blank=True)
    credential_source = models.CharField(max_length=16, blank=True)
    credential_hint = models.CharField(max_length=24, blank=True)
    # What a run is asked beside its conversation, and what it gave beside its answer; `flows` says which shape.
    input = models.JSONField(default=dict)
    output = models.JSONField(default=dict)
    trace = models.JSONField(default=dict)
    usage = models.JSONField(default=dict)
    error = models.JSONField(default=dict)
    finish_reason = models.CharField(max_length=20, blank=True)
    idempotency_key = models.CharField(max_length=120, blank=True)
    request_digest = models.CharField(max_length=64, blank=True)
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    stop_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    first_content_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Run"]] = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["branch"], condition=models.Q(state__in=["queued", "running"]), name="one_active_run_a_branch"
            ),
            models.UniqueConstraint(
                fields=["user", "workspace", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="one_run_an_idempotency_key",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "lease_until"],
                condition=models.Q(state__in=["queued", "running"]),
                name="run_active",
            )
        ]

    @property
    def usage_total(self) -> dict[str, Any]:
        """The tokens of this run and of those that it called for. One query."""
        return reduce(usage.total, self.children.order_by("created_at").values_list("usage", flat=True), self.usage)

    def __str__(self) -> str:
        return f"{self.context} run {self.id} ({self.state})"


class StreamEvent(models.Model):
    """One thing that happened in a run: `sequence` counts from 1 without gaps."""

    id = models.BigAutoField(primary_key=True)
    # What is unique below finds a run's events; an index of its own would cost every event a page.
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events", db_index=False)
    sequence = models.PositiveIntegerField()
    event_type = models.CharField(max_length=20)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "chat_stream_events"
        ordering = ["run", "sequence"]
        constraints = [models.UniqueConstraint(fields=["run", "sequence"], name="one_event_a_sequence")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.event_type}"
