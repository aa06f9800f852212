"""A person, a workspace, and the one's membership in the other."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, **fields: Any) -> "User":
        """A person without a password: passkeys and codes are how people sign in."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_unusable_password()
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The primary key is also the user handle that authenticators store, so it never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, editable=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email


class Workspace(models.Model):
    """People who share keys, rules and limits; and how long what they make is kept (`chat.retention`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    content_days = models.PositiveIntegerField(
        "days to keep conversations",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Counted from their last message. Empty: until somebody deletes them.",
    )
    event_hours = models.PositiveIntegerField(
        "hours to keep stream events",
        default=24,
        validators=[MinValueValidator(1)],
        help_text="Counted from the end of the run. The answer itself is content and stays.",
    )
    trace_days = models.PositiveIntegerField(
        "days to keep traces",
        default=90,
        validators=[MinValueValidator(1)],
        help_text="Why a model and a credential were chosen.",
    )
    usage_days = models.PositiveIntegerField(
        "days to keep usage", default=90, validators=[MinValueValidator(1)], help_text="How many tokens an answer took."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Administrator"
    MEMBER = "member", "Member"


class Membership(models.Model):
    """One person in one workspace, with one role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    # Whose claim map the role follows; empty for one that a person gave.
    follows = models.ForeignKey(
        "accounts.IdentityProvider", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace} ({self.role})"

    @property
    def administers(self) -> bool:
        return self.role in {Role.OWNER, Role.ADMIN}
