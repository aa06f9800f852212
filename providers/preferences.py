"""What people and workspaces prefer to speak to a provider with, and what a workspace allows about it, as it is stored;
the table that decides is `auth_mode`."""

from django.conf import settings
from django.db import models

from accounts.models import Workspace


class AuthMode(models.Model):
    """What a person (with `user`) or a workspace (without) prefers to speak to a provider with. Without a row that is
    an API key; `fallback_allowed` says whether a key may stand in for a session that fails."""

    class Mode(models.TextChoices):
        API_KEY = "api_key", "API key"
        SESSION = "session", "Token session"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="auth_modes")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="auth_modes"
    )
    provider_id = models.CharField(max_length=40)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.API_KEY)
    fallback_allowed = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user", "provider_id"],
                condition=models.Q(user__isnull=False),
                name="one_own_auth_mode_a_provider",
            ),
            models.UniqueConstraint(
                fields=["workspace", "provider_id"],
                condition=models.Q(user__isnull=True),
                name="one_workspace_auth_mode_a_provider",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.get_mode_display()}"


class CredentialPolicy(models.Model):
    """What a workspace allows about credentials; without a row, nothing. `references` lets a request name one of the
    credentials that its author may use."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="credential_policy"
    )
    references = models.BooleanField("requests may name a credential", default=False)

    class Meta:
        verbose_name_plural = "credential policies"

    def __str__(self) -> str:
        return f"Credentials in {self.workspace}"
