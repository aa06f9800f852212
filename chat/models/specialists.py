"""Helper models that an orchestrator can delegate to."""

import uuid
from typing import Any, ClassVar, Self

from django.core.validators import RegexValidator
from django.db import models

from accounts.models import Workspace
from accounts.policies import Actor
from catalog.models import LanguageModel

SLUG = RegexValidator(r"^[a-z][a-z0-9_]{0,39}\Z", "Small letters, digits and underscores, a letter first; at most 40.")
INSTRUCTION_CHARS = 8_000


def no_tools() -> list[Any]:
    return []


class SpecialistQuerySet(models.QuerySet["Specialist"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those that can be delegated to; an administrator also sees the others."""
        own = self.filter(workspace_id=actor.workspace_id)
        return own if actor.administers else own.filter(enabled=True)


class Specialist(models.Model):
    """A configured helper: `description` is what the orchestrator is told of it, `instructions` what it is told itself.

    Without a model the default for orchestration answers. `tools` are keys of the tools that it may call.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="specialists")
    name = models.CharField(max_length=60)
    slug = models.CharField(max_length=40, validators=[SLUG], help_text="How the orchestrator calls it.")
    description = models.CharField(max_length=300, help_text="What it is good at: the orchestrator chooses by this.")
    instructions = models.TextField(max_length=INSTRUCTION_CHARS, blank=True)
    model = models.ForeignKey(LanguageModel, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    tools = models.JSONField(default=no_tools, blank=True)
    enabled = models.BooleanField(default=True)
    order = models.PositiveSmallIntegerField(default=1, help_text="The smallest is named first.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Specialist"]] = SpecialistQuerySet.as_manager()

    class Meta:
        ordering = ["order", "name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="one_specialist_a_slug")]

    def __str__(self) -> str:
        return self.name
