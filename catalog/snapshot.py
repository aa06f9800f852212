"""The catalog, and what workspaces choose of it, in memory: one query says whether what this process keeps still holds.

What people choose for themselves is not here, nor anything about credentials.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from catalog.models import CatalogVersion, ContextDefault, FallbackStep, LanguageModel, Limit, ModelAlias, Rule
from catalog.models.languages import Versioned

# A longer chain says nothing more: a run makes three attempts.
LONGEST_CHAIN = 10


def _by_owner(kind: Any) -> Any:
    return field(default_factory=lambda: defaultdict(kind))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows are shared: read them, never change them. An owner is a workspace, or None for the installation; the
    defaults and chains of one are by context, and name models by key."""

    models: Mapping[str, LanguageModel]
    defaults: Mapping[UUID | None, dict[str, str]] = _by_owner(dict)
    chains: Mapping[UUID, dict[str, tuple[str, ...]]] = _by_owner(dict)
    aliases: Mapping[UUID | None, dict[str, ModelAlias]] = _by_owner(dict)
    rules: Mapping[UUID, list[Rule]] = _by_owner(list)
    limits: Mapping[UUID, list[Limit]] = _by_owner(list)
    # What doors made of these rows, by what decided it; it goes with the snapshot.
    written: dict[Any, bytes] = field(default_factory=dict)


# Of each kind of row: which rows are read. Those that go with a model are asked for it below.
_READS: dict[type[Versioned], Callable[[], QuerySet[Any]]] = {
    LanguageModel: LanguageModel.objects.all,
    ContextDefault: lambda: ContextDefault.objects.filter(user__isnull=True),
    FallbackStep: lambda: FallbackStep.objects.filter(enabled=True).order_by("context", "order"),
    ModelAlias: ModelAlias.objects.all,
    Rule: Rule.objects.all,
    Limit: Limit.objects.all,
}
type Stamps = dict[int, str]
type Rows = dict[type[Versioned], list[Any]]

_kept: tuple[Stamps | None, Rows, Snapshot] = (None, {}, Snapshot({}))


def current() -> Snapshot:
    """One query, and one more for each kind of row that has changed.

    The stamps are read before the rows, so rows that are newer than their stamp are read once more and never too old.
    """
    global _kept
    stamps: Stamps = dict(CatalogVersion.objects.values_list("id", "stamp"))
    known, rows, found = _kept
    if stamps != known:
        changed = [kind for kind in _READS if known is None or stamps.get(kind.kept_as) != known.get(kind.kept_as)]
        rows = rows | {kind: list(_READS[kind]()) for kind in changed}
        found = _made(rows)
        _kept = (stamps, rows, found)
    return found


def _made(rows: Rows) -> Snapshot:
    """Rows of a model that is gone go with it, whatever their own stamp says."""
    by_pk = {row.pk: row for row in rows[LanguageModel]}
    found = Snapshot({row.key: row for row in by_pk.values()})
    for default in rows[ContextDefault]:
        if target := by_pk.get(default.model_id):
            found.defaults[default.workspace_id][default.context] = target.key
    for step in rows[FallbackStep]:
        chains = found.chains[step.workspace_id]
        if target := by_pk.get(step.model_id):
            chains[step.context] = (*chains.get(step.context, ()), target.key)[:LONGEST_CHAIN]
    for alias in rows[ModelAlias]:
        if target := by_pk.get(alias.target_id):
            alias.target = target
            found.aliases[alias.workspace_id][alias.name] = alias
    for rule in rows[Rule]:
        found.rules[rule.workspace_id].append(rule)
    for limit in rows[Limit]:
        found.limits[limit.workspace_id].append(limit)
    return found
