"""Which models exist; nothing here calls a provider."""

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.db import models
from django.utils.functional import cached_property


class Context(models.TextChoices):
    CHAT = "chat", "Chat"
    STRUCTURED = "structured", "Structured output"
    SUMMARY = "summary", "Summary"
    DOC = "doc", "Documents"
    ORCHESTRATION = "orchestration", "Orchestration"


class CatalogVersion(models.Model):
    """A row for each kind of row that processes keep in memory, by the kind's number. Its stamp changes with every
    write: what is kept holds until then."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    stamp = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.stamp

    @staticmethod
    def move_on(kind: int) -> None:
        new = CatalogVersion(pk=kind, stamp=uuid.uuid4().hex)
        CatalogVersion.objects.bulk_create([new], update_conflicts=True, unique_fields=["id"], update_fields=["stamp"])


class VersionedQuerySet[Row: "Versioned"](models.QuerySet[Row]):
    """Every way to write rows tells the version."""

    def update(self, **values: Any) -> int:
        count = super().update(**values)
        CatalogVersion.move_on(self.model.kept_as)
        return count

    def bulk_create(self, objs: Iterable[Row], *args: Any, **kwargs: Any) -> list[Row]:
        made = super().bulk_create(objs, *args, **kwargs)
        CatalogVersion.move_on(self.model.kept_as)
        return made

    def delete(self) -> tuple[int, dict[str, int]]:
        gone = super().delete()
        CatalogVersion.move_on(self.model.kept_as)
        return gone


class Versioned(models.Model):
    """A row that `snapshot` keeps in memory. Rows that come out of it are shared by every request of the process: read
    them, change others. `kept_as` is the kind's number in `CatalogVersion`."""

    kept_as: ClassVar[int]

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        CatalogVersion.move_on(self.kept_as)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        gone = super().delete(*args, **kwargs)
        CatalogVersion.move_on(self.kept_as)
        return gone


class LanguageModelQuerySet(VersionedQuerySet["LanguageModel"]):
    def usable(self) -> Self:
        return self.filter(lifecycle__in=[LanguageModel.Lifecycle.ACTIVE, LanguageModel.Lifecycle.RETIRING])


class LanguageModel(Versioned):
    """A thing that answers, as its provider names it. A null ability is unknown, never no."""

    kept_as = 1

    class Lifecycle(models.TextChoices):
        ACTIVE = "active", "Active"
        RETIRING = "retiring", "Retiring"
        VANISHED = "vanished", "No longer listed"

    provider_id = models.CharField(max_length=40)
    model_id = models.CharField(max_length=160)
    label = models.CharField(max_length=160)
    # How hard it thinks: `none`, `standard`, `extended`; empty is unknown. The levels it takes are `reasoning_efforts`.
    reasoning_tier = models.CharField(max_length=12, blank=True)
    reasoning_efforts = models.JSONField(default=list, blank=True)
    supports_tools = models.BooleanField(null=True)
    supports_streaming = models.BooleanField(null=True, default=True)
    supports_vision = models.BooleanField(null=True)
    supports_documents = models.BooleanField(null=True)
    supports_reasoning = models.BooleanField(null=True)
    supports_structured = models.BooleanField(null=True)
    supports_temperature = models.BooleanField(null=True)
    context_window = models.PositiveIntegerField(null=True)
    max_output_tokens = models.PositiveIntegerField(null=True)
    # List prices, oldest first; `prices` reads them.
    prices = models.JSONField(default=list, blank=True)
    # By fact: its source, since when, and its limits where it works only in part; `evidence` writes and reads it.
    evidence = models.JSONField(default=dict, blank=True)
    lifecycle = models.CharField(max_length=10, choices=Lifecycle, default=Lifecycle.ACTIVE)
    retires_at = models.DateTimeField(null=True)
    # The key of the model that is meant to follow this one; nothing goes there by itself.
    successor = models.CharField(max_length=201, blank=True)
    # A sandbox model answers only through the sandbox, a real one only through a real credential.
    sandbox = models.BooleanField(default=False)
    # Listed by the installation's own key or sandbox; otherwise only who has a credential for the provider sees it.
    shared = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()

    objects: ClassVar[models.Manager["LanguageModel"]] = LanguageModelQuerySet.as_manager()
    # Its lines of the catalog's answer, kept by whoever writes them.
    written: str = ""

    class Meta:
        ordering = ["provider_id", "label"]
        constraints = [models.UniqueConstraint(fields=["provider_id", "model_id"], name="one_row_a_model")]

    def __str__(self) -> str:
        return self.key

    @cached_property
    def key(self) -> str:
        """The canonical name, `provider/model_id`; neither half ever changes."""
        return f"{self.provider_id}/{self.model_id}"

    @property
    def vanished(self) -> bool:
        return self.lifecycle == self.Lifecycle.VANISHED

    @property
    def leaving(self) -> bool:
        """Whether whoever uses it should look for another one."""
        return self.lifecycle != self.Lifecycle.ACTIVE


class ProviderSync(models.Model):
    """When a provider's list was last read and how that went; `error_code` is empty after a success."""

    provider_id = models.CharField(max_length=40, primary_key=True)
    finished_at = models.DateTimeField()
    error_code = models.CharField(max_length=24, blank=True)
    model_count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.provider_id
