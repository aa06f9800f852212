"""Which models exist and which one answers by default; nothing here calls a provider."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from accounts.models import Workspace


class Context(models.TextChoices):
    CHAT = "chat", "Chat"
    STRUCTURED = "structured", "Structured output"
    SUMMARY = "summary", "Summary"
    DOC = "doc", "Documents"
    ORCHESTRATION = "orchestration", "Orchestration"


class LanguageModelQuerySet(models.QuerySet["LanguageModel"]):
    def usable(self) -> Self:
        return self.filter(lifecycle__in=[LanguageModel.Lifecycle.ACTIVE, LanguageModel.Lifecycle.RETIRING])


class LanguageModel(models.Model):
    """A thing that answers, as its provider names it. A null ability is unknown, never no."""

    class Lifecycle(models.TextChoices):
        ACTIVE = "active", "Active"
        RETIRING = "retiring", "Retiring"
        VANISHED = "vanished", "No longer listed"

    provider_id = models.CharField(max_length=40)
    model_id = models.CharField(max_length=160)
    label = models.CharField(max_length=160)
    reasoning_tier = models.CharField(max_length=12, blank=True)
    supports_tools = models.BooleanField(null=True)
    supports_streaming = models.BooleanField(null=True, default=True)
    supports_vision = models.BooleanField(null=True)
    supports_reasoning = models.BooleanField(null=True)
    supports_structured = models.BooleanField(null=True)
    context_window = models.PositiveIntegerField(null=True)
    max_output_tokens = models.PositiveIntegerField(null=True)
    lifecycle = models.CharField(max_length=10, choices=Lifecycle, default=Lifecycle.ACTIVE)
    retires_at = models.DateTimeField(null=True)
    # A sandbox model answers only through the sandbox, a real one only through a real credential.
    sandbox = models.BooleanField(default=False)
    # Listed by the installation's own key or sandbox; otherwise only who has a credential for the provider sees it.
    shared = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()

    objects: ClassVar[models.Manager["LanguageModel"]] = LanguageModelQuerySet.as_manager()

    class Meta:
        ordering = ["provider_id", "label"]
        constraints = [models.UniqueConstraint(fields=["provider_id", "model_id"], name="one_row_a_model")]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """The canonical name, `provider/model_id`."""
        return f"{self.provider_id}/{self.model_id}"


class ContextDefault(models.Model):
    """The model that answers in a context: for one person, one workspace (no user) or everybody (neither)."""

    context = models.CharField(max_length=16, choices=Context)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    model = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="defaults")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["context", "workspace", "user"],
                condition=models.Q(user__isnull=False),
                name="one_own_default_a_context",
            ),
            models.UniqueConstraint(
                fields=["context", "workspace"],
                condition=models.Q(user__isnull=True, workspace__isnull=False),
                name="one_workspace_default_a_context",
            ),
            models.UniqueConstraint(
                fields=["context"],
                condition=models.Q(user__isnull=True, workspace__isnull=True),
                name="one_installation_default_a_context",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.context}: {self.model}"


class FallbackStep(models.Model):
    """One model of a workspace's fallback chain: it answers in a context when those before it cannot be reached.

    Without rows, or with all of them turned off, nothing ever falls back.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="fallback_steps")
    context = models.CharField(max_length=16, choices=Context, default=Context.CHAT)
    order = models.PositiveSmallIntegerField(default=1, help_text="The smallest is tried first.")
    model = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="+")
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["context", "order"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "context", "order"], name="one_step_a_place"),
            models.UniqueConstraint(fields=["workspace", "context", "model"], name="one_step_a_model"),
        ]

    def __str__(self) -> str:
        return f"{self.context} {self.order}: {self.model}"


class ProviderSync(models.Model):
    """When a provider's list was last read and how that went; `error_code` is empty after a success."""

    provider_id = models.CharField(max_length=40, primary_key=True)
    finished_at = models.DateTimeField()
    error_code = models.CharField(max_length=24, blank=True)
    model_count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.provider_id
