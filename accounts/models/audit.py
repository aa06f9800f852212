"""What was changed by whom: rows that are added and never touched again. `accounts.audit` writes and verifies them."""

from collections.abc import Collection
from typing import Any, ClassVar, NoReturn, Self
from uuid import UUID

from django.db import models
from django.db.models import Q

from accounts.models.people import Membership

IDENTITY = "identity."
"""How the actions begin that are about a person's ways to sign in, and so belong to no workspace."""


class AppendOnly(TypeError):
    """An entry is written once, by `audit.record`."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def of_workspaces(self, ids: Collection[UUID]) -> Self:
        """What happened in these workspaces, and to the sign-in of those who are in them."""
        members = Membership.objects.filter(workspace__in=ids).values("user")
        identity = Q(workspace_id=None, action__startswith=IDENTITY, user_id__in=members)
        return self.filter(Q(workspace_id__in=ids) | identity)

    def update(self, **_: Any) -> NoReturn:
        raise AppendOnly("an audit entry is never changed")

    def delete(self) -> NoReturn:
        raise AppendOnly("an audit entry is never removed")

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnly("an audit entry is never changed")


class AuditEntry(models.Model):
    """One change. It holds ids and words instead of foreign keys, so it outlives whom and what it is about.

    `digest` is the HMAC over the digest before it in its `chain` and over everything else in this row. `who` is the
    e-mail address of the person at that time; `target` what was changed; `data` facts, never a secret.
    """

    chain = models.CharField(max_length=36, editable=False)
    sequence = models.PositiveBigIntegerField(editable=False)
    at = models.DateTimeField(db_index=True, editable=False)
    action = models.CharField(max_length=60, editable=False)
    user_id = models.UUIDField(null=True, editable=False)
    who = models.CharField(max_length=254, blank=True, editable=False)
    workspace_id = models.UUIDField(null=True, editable=False)
    target = models.CharField(max_length=200, blank=True, editable=False)
    data = models.JSONField(default=dict, editable=False)
    ip = models.CharField("IP address", max_length=45, blank=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)

    objects: ClassVar[models.Manager["AuditEntry"]] = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="one_audit_entry_a_place")]
        indexes = [
            models.Index(fields=["workspace_id", "-at"], name="audit_of_workspace"),
            models.Index(fields=["user_id", "-at"], name="audit_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}".strip()

    def save(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnly("an audit entry is written by audit.record")

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnly("an audit entry is never removed")


class AuditHead(models.Model):
    """How long a chain is and how it ends, sealed: what tells a shortened chain from a whole one."""

    chain = models.CharField(max_length=36, primary_key=True)
    count = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.chain}: {self.count}"
