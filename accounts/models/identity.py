"""Identity providers: whom an installation or a workspace lets say who somebody is."""

import uuid
from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet

from accounts.fields import StrictEncryptedTextField
from accounts.models.people import Workspace

CHATGPT_ISSUER = "https://auth.openai.com"
GOOGLE_ISSUER = "https://accounts.google.com"


class IdentityProviderQuerySet(models.QuerySet["IdentityProvider"]):
    def offered(self) -> "IdentityProviderQuerySet":
        """Those that can be used now: turned on, and known to their issuer by a client id."""
        return self.filter(enabled=True).exclude(client_id="")


class IdentityProviderManager(models.Manager["IdentityProvider"].from_queryset(IdentityProviderQuerySet)):  # type: ignore[misc]
    """Leaves the secret in the database: only the exchange of a code asks for it."""

    def get_queryset(self) -> IdentityProviderQuerySet:
        rows: IdentityProviderQuerySet = super().get_queryset().defer("secret")
        return rows


class IdentityProvider(models.Model):
    """One OpenID Connect issuer as one client of it. Without a workspace it serves the whole installation.

    Linked accounts are keyed by (`slug`, subject): the slug never changes, the issuer not while an account uses it.
    """

    class Preset(models.TextChoices):
        CHATGPT = "chatgpt", "ChatGPT"
        GOOGLE = "google", "Google"
        CUSTOM = "custom", "Another issuer"

    class TokenAuth(models.TextChoices):
        BASIC = "client_secret_basic", "Secret in the Basic header"
        POST = "client_secret_post", "Secret in the form body"
        NONE = "none", "No secret (public client)"

    class SignUp(models.TextChoices):
        INVITATION = "invitation", "Only people with an invitation"
        DOMAIN = "domain", "People of the listed domains, as members"
        OPEN = "open", "Everybody who has an account there, as members"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="identity_providers"
    )
    slug = models.SlugField("short name", max_length=40, unique=True)
    name = models.CharField(max_length=40)
    preset = models.CharField(max_length=10, choices=Preset, default=Preset.CUSTOM)
    issuer = models.CharField(max_length=300)
    client_id = models.CharField(max_length=191, blank=True)
    secret = StrictEncryptedTextField(null=True, editable=False)
    hint = models.CharField("stored secret", max_length=24, blank=True, editable=False)
    scopes = models.CharField(max_length=200, default="openid profile email")
    token_auth = models.CharField("client authentication", max_length=20, choices=TokenAuth, default=TokenAuth.BASIC)
    # Claims that the ID token leaves out are asked for at the userinfo endpoint.
    fetch_userinfo = models.BooleanField(default=False)
    sign_up = models.CharField("who may sign up", max_length=10, choices=SignUp, default=SignUp.INVITATION)
    domains = models.JSONField(default=list, blank=True)
    # Of a workspace's own: lines of role, claim and value (`accounts.oidc.claim_map`).
    roles = models.JSONField(default=list, blank=True)
    listed = models.BooleanField("on the sign-in page", default=True)
    enabled = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[IdentityProviderManager] = IdentityProviderManager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises ValidationError for a change that would hand linked accounts to somebody else."""
        if self._state.adding and self.accounts().exists():
            raise ValidationError({"slug": "This short name is taken: accounts are linked by it."})
        if not self._state.adding:
            before = IdentityProvider.objects.filter(pk=self.pk).values("slug", "issuer").first()
            if before and before["slug"] != self.slug:
                raise ValidationError({"slug": "The short name never changes: linked accounts are found by it."})
            if before and before["issuer"] != self.issuer and self.accounts().exists():
                raise ValidationError({"issuer": "Accounts are linked to this issuer, so it stays."})
        super().save(*args, **kwargs)

    @property
    def sealed_for(self) -> str:
        """The issuer as well: it is whom the secret is shown to."""
        return f"v1|identity provider|{self.pk}|{self.issuer}"

    def accounts(self) -> QuerySet[SocialAccount]:
        """The linked accounts, of whoever they are."""
        found: QuerySet[SocialAccount] = SocialAccount.objects.filter(provider=self.slug)
        return found

    @property
    def usable(self) -> bool:
        """As `offered` finds it."""
        return self.enabled and bool(self.client_id)

    @property
    def vouched(self) -> bool:
        """Whether the issuer's word counts beyond one workspace: the operator chose it, or nobody here runs it."""
        return self.workspace_id is None or self.issuer == GOOGLE_ISSUER

    @property
    def proves_addresses(self) -> bool:
        """Whether an address that the issuer calls verified needs no code from us. A consumer's account there is no
        proof of a company's mailbox."""
        consumers = self.issuer == CHATGPT_ISSUER and self.sign_up == self.SignUp.DOMAIN
        return self.vouched and not consumers

    @property
    def tile(self) -> str:
        """The tile's colour in the stylesheet."""
        return {CHATGPT_ISSUER: "openai", GOOGLE_ISSUER: "google"}.get(self.issuer, "")

    @property
    def host(self) -> str:
        return urlsplit(self.issuer).hostname or ""
