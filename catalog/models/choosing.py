"""What people choose among the models: defaults, fallback chains, other names, and what a workspace allows."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from accounts.models import Role, Workspace
from accounts.policies import Actor
from catalog.models.languages import Context, LanguageModel, Versioned, VersionedQuerySet


class ContextDefault(Versioned):
    """The model that answers in a context: for one person, one workspace (no user) or everybody (neither)."""

    kept_as = 2

    context = models.CharField(max_length=16, choices=Context)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    model = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="defaults")

    objects: ClassVar[models.Manager["ContextDefault"]] = VersionedQuerySet["ContextDefault"].as_manager()

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


class FallbackStep(Versioned):
    """One model of a workspace's fallback chain: it answers in a context when those before it cannot be reached.

    Without rows, or with all of them turned off, nothing ever falls back.
    """

    kept_as = 3

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="fallback_steps")
    context = models.CharField(max_length=16, choices=Context, default=Context.CHAT)
    order = models.PositiveSmallIntegerField(default=1, help_text="The smallest is tried first.")
    model = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="+")
    enabled = models.BooleanField(default=True)

    objects: ClassVar[models.Manager["FallbackStep"]] = VersionedQuerySet["FallbackStep"].as_manager()

    class Meta:
        ordering = ["context", "order"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "context", "order"], name="one_step_a_place"),
            models.UniqueConstraint(fields=["workspace", "context", "model"], name="one_step_a_model"),
        ]

    def __str__(self) -> str:
        return f"{self.context} {self.order}: {self.model}"


class ModelAliasQuerySet(VersionedQuerySet["ModelAlias"]):
    def visible_to(self, actor: Actor) -> Self:
        """The workspace's own and the installation's."""
        return self.filter(models.Q(workspace_id=actor.workspace_id) | models.Q(workspace__isnull=True))


class ModelAlias(Versioned):
    """Another name for a model, in one workspace or (without one) everywhere. Its target is a model and never an alias,
    so there are no chains; a model of that very name comes first."""

    kept_as = 4

    name = models.CharField(max_length=201)
    target = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="aliases")
    reason = models.CharField(max_length=200)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["ModelAlias"]] = ModelAliasQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "model aliases"
        constraints = [
            models.UniqueConstraint(
                fields=["name", "workspace"],
                condition=models.Q(workspace__isnull=False),
                name="one_alias_a_name_a_workspace",
            ),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(workspace__isnull=True), name="one_installation_alias_a_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> str:
        return "installation" if self.workspace_id is None else "workspace"


class RuleQuerySet(VersionedQuerySet["Rule"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(workspace_id=actor.workspace_id)


class Rule(Versioned):
    """One allow or deny row of a workspace. What is empty matches everything; `policies.decide` reads them."""

    kept_as = 5

    class Effect(models.TextChoices):
        ALLOW = "allow", "Allow"
        DENY = "deny", "Deny"

    class Source(models.TextChoices):
        REQUEST = "request", "The request's own"
        OWN = "own", "A member's own key"
        WORKSPACE = "workspace", "The workspace's key"
        ENVIRONMENT = "environment", "The installation's key"
        SANDBOX = "sandbox", "The sandbox"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="model_rules")
    effect = models.CharField(max_length=5, choices=Effect)
    provider_id = models.CharField(max_length=40, blank=True)
    model_pattern = models.CharField(
        max_length=160, blank=True, help_text="A model's id; * stands for any characters, for example gpt-4*."
    )
    context = models.CharField(max_length=16, choices=Context, blank=True)
    role = models.CharField(max_length=10, choices=[(role.value, role.label) for role in Role], blank=True)
    credential_source = models.CharField(max_length=12, choices=Source, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="What a member reads when it stops them.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Rule"]] = RuleQuerySet.as_manager()

    class Meta:
        ordering = ["-effect", "pk"]

    def __str__(self) -> str:
        limits = (self.provider_id, self.model_pattern, self.context, self.role, self.credential_source)
        return f"{self.effect} {', '.join(word for word in limits if word) or 'everything'}"


class MigrationQuerySet(models.QuerySet["ModelMigration"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(workspace_id=actor.workspace_id)


class ModelMigration(models.Model):
    """Somebody moved what named one model to another one: in a workspace, or (without one) in the installation.

    `counts` says how much by place; `moved` names the rows, so that it can be undone. History is never touched.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    from_model = models.CharField(max_length=201)
    to_model = models.CharField(max_length=201)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    counts = models.JSONField(default=dict)
    moved = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    objects: ClassVar[models.Manager["ModelMigration"]] = MigrationQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.from_model} to {self.to_model}"
