"""What tools need of the database: the MCP servers of a workspace, and calls that wait for a client's result."""

import uuid
from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.fields import StrictEncryptedTextField
from accounts.models import Workspace
from accounts.policies import Actor
from chat.models.runs import Run


class McpServerQuerySet(models.QuerySet["McpServer"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(workspace_id=actor.workspace_id)


class McpServerManager(models.Manager["McpServer"].from_queryset(McpServerQuerySet)):  # type: ignore[misc]
    """Leaves the secret in the database: only `tools.servers.opened` asks for it."""

    def get_queryset(self) -> McpServerQuerySet:
        rows: McpServerQuerySet = super().get_queryset().defer("secret")
        return rows


class McpServer(models.Model):
    """A server that brings tools to a workspace, over streamable HTTP. `secret` goes in the Authorization header, as a
    bearer. `allowed` are the names of the tools that may be called, empty for all. `seconds` bounds one call."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="mcp_servers")
    name = models.CharField(max_length=40)
    url = models.CharField("URL", max_length=300)
    secret = StrictEncryptedTextField(null=True, editable=False)
    hint = models.CharField(max_length=24, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    allowed = models.JSONField(default=list, blank=True)
    seconds = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1), MaxValueValidator(300)], help_text="Longest time of one call."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[McpServerManager] = McpServerManager()

    class Meta:
        ordering = ["name"]
        verbose_name = "MCP server"
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_mcp_server_a_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def sealed_for(self) -> str:
        """The address as well: in another row, or sent elsewhere, the secret opens nothing."""
        return f"v1|mcp|{self.pk}|{self.workspace_id}|{self.url}"


class ClientCall(models.Model):
    """One call that the client of a run executes; without `answered_at` the run waits for it."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="client_calls")
    call_id = models.CharField(max_length=200)
    result = models.TextField(blank=True)
    is_error = models.BooleanField(default=False)
    asked_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["run", "call_id"], name="client_call")]

    def __str__(self) -> str:
        return self.call_id
