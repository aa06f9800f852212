"""Where the catalog's own rows name a model: defaults of three levels, fallback steps, aliases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import ContextDefault, FallbackStep, LanguageModel, ModelAlias

_ALL = Q()
# Whose: a person's, a workspace's, everybody's.
_OWN = Q(user__isnull=False)
_WORKSPACE = Q(user__isnull=True, workspace__isnull=False)
_INSTALLATION = Q(workspace__isnull=True)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one kind with a foreign key to the model in `column`."""

    name: str
    kind: Any
    column: str = "model"
    which: Q = _ALL

    def _in(self, workspace_id: UUID | None) -> "QuerySet[Any]":
        rows: QuerySet[Any] = self.kind.objects.filter(self.which)
        return rows if workspace_id is None else rows.filter(workspace_id=workspace_id)

    def naming(self, workspace_id: UUID | None, key: str) -> int:
        provider_id, _, model_id = key.partition("/")
        named = {f"{self.column}__provider_id": provider_id, f"{self.column}__model_id": model_id}
        return self._in(workspace_id).filter(**named).count()

    def move(self, workspace_id: UUID | None, old: LanguageModel, new: LanguageModel) -> Sequence[int]:
        rows = self._movable(self._in(workspace_id).filter(**{self.column: old}), new)
        moved = list(rows.values_list("pk", flat=True))
        self.kind.objects.filter(pk__in=moved).update(**{self.column: new})
        return moved

    def move_back(self, rows: Sequence[Any], old: LanguageModel, new: LanguageModel) -> None:
        still = self.kind.objects.filter(pk__in=rows, **{self.column: new})
        self._movable(still, old).update(**{self.column: old})

    def _movable(self, rows: "QuerySet[Any]", new: LanguageModel) -> "QuerySet[Any]":
        """A chain that holds the other model already keeps its step: it would be there twice."""
        if self.kind is not FallbackStep:
            return rows
        same = FallbackStep.objects.filter(workspace=OuterRef("workspace"), context=OuterRef("context"), model=new)
        return rows.exclude(Exists(same))


CATALOG_PLACES = (
    Rows("own_defaults", ContextDefault, which=_OWN),
    Rows("workspace_defaults", ContextDefault, which=_WORKSPACE),
    Rows("installation_defaults", ContextDefault, which=_INSTALLATION),
    Rows("fallback_steps", FallbackStep),
    Rows("aliases", ModelAlias, column="target"),
)
