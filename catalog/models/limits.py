"""How much the members of a workspace may use; `catalog.limits` makes these rows, `chat.limits` holds runs to them."""

from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from accounts.models import Workspace
from accounts.policies import Actor
from catalog.models.languages import Versioned, VersionedQuerySet


class LimitQuerySet(VersionedQuerySet["Limit"]):
    def visible_to(self, actor: Actor) -> Self:
        """All of the workspace for those who administer it; for a member those that hold for them."""
        rows = self.filter(workspace_id=actor.workspace_id)
        return rows if actor.administers else rows.filter(models.Q(user=None) | models.Q(user_id=actor.user_id))


class Limit(Versioned):
    """What one member (without a user: each of them) may use in an hour, a day or a month, as the clock has them in
    UTC. What is empty matches everything. From `soft` on the member is told what is left; beyond `hard` nothing starts.
    """

    kept_as = 6

    class Measure(models.TextChoices):
        REQUESTS = "requests", "Requests"
        TOKENS = "tokens", "Tokens"

    class Period(models.TextChoices):
        HOUR = "hour", "Hour"
        DAY = "day", "Day"
        MONTH = "month", "Month"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="limits")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="member",
        help_text="Empty: each member by themselves.",
    )
    provider_id = models.CharField(max_length=40, blank=True)
    model_pattern = models.CharField(
        max_length=160, blank=True, help_text="A model's id; * stands for any characters, for example gpt-4*."
    )
    measure = models.CharField(max_length=8, choices=Measure, default=Measure.REQUESTS)
    period = models.CharField(max_length=5, choices=Period, default=Period.DAY)
    soft = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="From here on the member sees what is left. Empty: from four fifths of the hard limit on.",
    )
    hard = models.PositiveBigIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Empty: nothing is refused."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Limit"]] = LimitQuerySet.as_manager()

    class Meta:
        ordering = ["period", "measure", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(soft__isnull=False) | models.Q(hard__isnull=False),
                name="a_limit_limits",
                violation_error_message="Give a soft limit, a hard one, or both.",
            ),
            models.CheckConstraint(
                condition=models.Q(soft__isnull=True)
                | models.Q(hard__isnull=True)
                | models.Q(soft__lte=models.F("hard")),
                name="a_soft_limit_comes_first",
                violation_error_message="The soft limit is at most the hard one.",
            ),
        ]

    def __str__(self) -> str:
        bounds = [bound for bound in (self.hard, self.soft) if bound is not None]
        most = f"{bounds[0]:,}" if bounds else "no"
        what = "/".join(word for word in (self.provider_id, self.model_pattern) if word)
        each = "an hour" if self.period == self.Period.HOUR else f"a {self.period}"
        return f"{most} {self.measure} {each}{f' of {what}' if what else ''}"

    @property
    def warns_from(self) -> int:
        """The amount from which on the member is told."""
        if self.soft is not None:
            return self.soft
        return (self.hard or 0) * 4 // 5
