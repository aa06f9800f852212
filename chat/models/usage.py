"""What runs used, kept beside them: a conversation that is deleted takes its runs along, never what they used."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from accounts.models import Workspace
from accounts.policies import Actor
from catalog.models import Context
from chat.models.runs import Run


class UsageEntryQuerySet(models.QuerySet["UsageEntry"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(workspace_id=actor.workspace_id, user_id=actor.user_id)


class UsageEntry(models.Model):
    """One run, counted from its start on. `requests` is 0 for what nobody asked for, such as a title.

    `reserved` are tokens that it is expected to take, until the provider's counts are there; where they never come and
    something had arrived, the guess stays. Token counts are the provider's, None is unknown. `model` is the one that
    answers, empty before that is known.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="usage")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    run = models.OneToOneField(Run, on_delete=models.SET_NULL, null=True, related_name="entry")
    at = models.DateTimeField()
    context = models.CharField(max_length=16, choices=Context)
    model = models.CharField(max_length=201, blank=True)
    credential_source = models.CharField(max_length=16, blank=True)
    requests = models.PositiveSmallIntegerField(default=1)
    answered = models.BooleanField(default=False)
    reserved = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveIntegerField(null=True)
    cached_input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    reasoning_tokens = models.PositiveIntegerField(null=True)

    objects: ClassVar[models.Manager["UsageEntry"]] = UsageEntryQuerySet.as_manager()

    class Meta:
        ordering = ["at"]
        verbose_name = "usage"
        verbose_name_plural = "usage"
        indexes = [
            models.Index(fields=["workspace", "user", "at"], name="usage_of_member"),
            models.Index(fields=["workspace", "at"], name="usage_of_workspace"),
        ]

    def __str__(self) -> str:
        return f"{self.model or 'a model'} at {self.at:%Y-%m-%d %H:%M}"
