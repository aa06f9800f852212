"""Stored ways to speak to a provider; who may use which is `policies`, opening one is `credentials`, and what their
owners prefer by `preferences`."""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from accounts.fields import StrictEncryptedTextField
from accounts.models import Workspace
from accounts.policies import Actor
from providers.preferences import AuthMode


class CredentialQuerySet(models.QuerySet["Credential"]):
    def visible_to(self, actor: Actor) -> Self:
        """The actor's own credentials and the workspace's; nobody sees another member's."""
        return self.filter(workspace_id=actor.workspace_id).filter(
            models.Q(user__isnull=True) | models.Q(user_id=actor.user_id)
        )

    def with_mode(self) -> Self:
        """Each row with what its owner prefers for its provider: `mode` and `fallback_allowed`, None without a wish."""
        of_provider = AuthMode.objects.filter(
            workspace=models.OuterRef("workspace"), provider_id=models.OuterRef("provider_id")
        )
        shared, own = of_provider.filter(user__isnull=True), of_provider.filter(user=models.OuterRef("user"))

        def said(name: str) -> models.Case:
            of_all = models.When(user__isnull=True, then=models.Subquery(shared.values(name)[:1]))
            return models.Case(of_all, default=models.Subquery(own.values(name)[:1]))

        return self.annotate(mode=said("mode"), fallback_allowed=said("fallback_allowed"))

    def editable_by(self, actor: Actor) -> Self:
        own = models.Q(user_id=actor.user_id)
        return self.filter(workspace_id=actor.workspace_id).filter(
            own | models.Q(user__isnull=True) if actor.administers else own
        )


class CredentialManager(models.Manager["Credential"].from_queryset(CredentialQuerySet)):  # type: ignore[misc]
    """Leaves the secret in the database: only `credentials.open_stored` asks for it."""

    def get_queryset(self) -> CredentialQuerySet:
        rows: CredentialQuerySet = super().get_queryset().defer("secret")
        return rows


class Credential(models.Model):
    """A stored way to speak to a provider: a person's own (with `user`) or the workspace's (without)."""

    class Kind(models.TextChoices):
        API_KEY = "api_key", "API key"
        SESSION = "session", "Token session"

    class State(models.TextChoices):
        UNCHECKED = "unchecked", "Not checked yet"
        WORKING = "working", "Working"
        REFUSED = "refused", "Refused"
        UNREACHABLE = "unreachable", "Provider not reachable"
        # Of sessions only: somebody has to sign in or paste anew.
        EXPIRED = "expired", "Expired"
        MALFORMED = "malformed", "Cannot be read"

    class Method(models.TextChoices):
        """How a session came about."""

        BEARER = "bearer", "Pasted token"
        WORKLOAD_IDENTITY = "workload_identity", "Workload identity"
        OPENAI_CHATGPT = "openai_chatgpt", "ChatGPT plan"

    # What somebody enters; the others begin with a sign-in at the vendor.
    ENTERED = ((Method.BEARER, Method.BEARER.label), (Method.WORKLOAD_IDENTITY, Method.WORKLOAD_IDENTITY.label))
    # What no request is made with until somebody has put it right.
    OVER = (State.EXPIRED, State.MALFORMED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="credentials")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="credentials"
    )
    provider_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.API_KEY)
    label = models.CharField(max_length=80, blank=True)
    secret = StrictEncryptedTextField(null=True, editable=False)
    hint = models.CharField(max_length=24, editable=False)
    fingerprint = models.CharField(max_length=32, editable=False)
    base_url = models.URLField(max_length=300, blank=True)
    # Decided from the secret when it is stored, so that nothing has to open it to know where it may be sent.
    sandbox = models.BooleanField(default=False, editable=False)
    state = models.CharField(max_length=12, choices=State, default=State.UNCHECKED, editable=False)
    error_code = models.CharField(max_length=24, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    latency_ms = models.PositiveIntegerField(null=True, editable=False)
    # Of sessions only. `account` is whose it is at the vendor, as far as that is known; `exchange` says where and how a
    # new token is fetched, nothing of it secret; who fetches one holds the row until `renewing_until`.
    method = models.CharField(max_length=20, choices=Method, blank=True, editable=False)
    account = models.CharField(max_length=120, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)
    exchange = models.JSONField(default=dict, editable=False)
    renewing_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # When the secret was last set; the result of a check does not touch it.
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[CredentialManager] = CredentialManager()

    class Meta:
        ordering = ["provider_id", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user", "provider_id", "kind"],
                condition=models.Q(user__isnull=False),
                name="one_own_credential_a_provider",
            ),
            models.UniqueConstraint(
                fields=["workspace", "provider_id", "kind"],
                condition=models.Q(user__isnull=True),
                name="one_workspace_credential_a_provider",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.hint}"

    @property
    def sealed_for(self) -> str:
        return f"v1|{self.pk}|{self.workspace_id}|{self.user_id or '-'}|{self.provider_id}"

    @property
    def renews(self) -> bool:
        """Whether new tokens are fetched for it; its secret then is what `sessions.base.Stored` holds."""
        return self.method in {self.Method.WORKLOAD_IDENTITY, self.Method.OPENAI_CHATGPT}

    def ended(self, now: datetime) -> bool:
        """Whether the time of a pasted session is over; what is fetched anew ends only when that fails."""
        return self.method == self.Method.BEARER and self.expires_at is not None and self.expires_at <= now

    @property
    def source(self) -> str:
        return "workspace" if self.user_id is None else "own"


class HealthState(models.TextChoices):
    OK = "ok", "Operational"
    DEGRADED = "degraded", "Degraded"
    DOWN = "down", "Not responding"
    EXPIRED = "expired", "Key refused"
    UNKNOWN = "unknown", "Not checked yet"


class ProviderHealth(models.Model):
    """The one answer to "how is this provider", for the whole installation; `health` writes it, everybody reads it.

    `reason` is the code behind a state that is not ok. `recent` holds the newest signals, as `judging.Signal` writes
    them; `next_check_at` is when a process may take the next check.
    """

    provider_id = models.CharField(max_length=40, primary_key=True)
    state = models.CharField(max_length=10, choices=HealthState, default=HealthState.UNKNOWN)
    since = models.DateTimeField()
    reason = models.CharField(max_length=24, blank=True)
    last_checked_at = models.DateTimeField(null=True)
    latency_ms = models.PositiveIntegerField(null=True)
    recent = models.JSONField(default=list, editable=False)
    next_check_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["provider_id"]
        verbose_name_plural = "provider health"

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.get_state_display()}"


class HealthEvent(models.Model):
    """A provider went from one state to another. `lasted` is how many seconds the earlier one had held."""

    health = models.ForeignKey(ProviderHealth, on_delete=models.CASCADE, related_name="events")
    before = models.CharField(max_length=10, choices=HealthState)
    after = models.CharField(max_length=10, choices=HealthState)
    reason = models.CharField(max_length=24, blank=True)
    at = models.DateTimeField(db_index=True)
    lasted = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.health_id}: {self.before} to {self.after}"


class HealthSample(models.Model):
    """What was counted in one hour of one provider. `times` are the counters of `latencies`: of checks, or of answers
    to their first word."""

    class Kind(models.TextChoices):
        CHECK = "check", "Checks"
        RUN = "run", "Answers"

    provider_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=5, choices=Kind)
    hour = models.DateTimeField(db_index=True)
    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    latency_sum_ms = models.PositiveBigIntegerField(default=0)
    times = models.JSONField(default=list)

    class Meta:
        ordering = ["hour"]
        constraints = [
            models.UniqueConstraint(fields=["provider_id", "kind", "hour"], name="one_health_sample_an_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.kind} {self.hour:%Y-%m-%d %H}h"


class DrillQuerySet(models.QuerySet["Drill"]):
    def visible_to(self, actor: Actor) -> Self:
        """The drills of the actor's workspace, for its administrators."""
        return self.filter(workspace_id=actor.workspace_id) if actor.administers else self.none()


class Drill(models.Model):
    """A provider failed on purpose, in a sandbox of the drill's own; `drills.report` says what `report` holds.

    One runs at a time. Its process writes `beat_at` while it does; anybody may call one that fell silent interrupted.
    """

    class Kind(models.TextChoices):
        OUTAGE = "outage", "Outage"
        RATE_LIMITS = "rate_limits", "429 storm"
        SLOW_START = "slow_start", "Slow first byte"
        CUT_STREAMS = "cut_streams", "Cut in mid-stream"
        EXPIRED_KEY = "expired_key", "Expired key"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"
        INTERRUPTED = "interrupted", "Interrupted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="drills")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    provider_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=12, choices=Kind)
    streams = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, choices=State, default=State.RUNNING)
    report = models.JSONField(default=dict)
    problem = models.CharField(max_length=200, blank=True)
    stop_requested = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    beat_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Drill"]] = DrillQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="running"), name="one_drill_runs_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.provider_id}"

    @property
    def seconds(self) -> int | None:
        """How long it took; None while it runs."""
        return None if self.ended_at is None else round((self.ended_at - self.created_at).total_seconds())
