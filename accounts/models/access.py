"""API tokens and one-time sign-in links: both are stored as hashes only."""

import uuid

from django.db import models
from django.utils import timezone

from accounts.models.people import Membership, User, Workspace


class ApiToken(models.Model):
    """How a client speaks to us, for one person in one workspace. `digest` is SHA-256 of the whole token."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    hint = models.CharField(max_length=24)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    membership: Membership
    """Not a column: the membership it was found to act under, set by `tokens.verify`."""

    def __str__(self) -> str:
        return f"{self.name} ({self.hint})"

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class SignInLink(models.Model):
    """A link that signs one person in once; made by a command on the server, opened on the same machine."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"sign-in link of {self.user}"
