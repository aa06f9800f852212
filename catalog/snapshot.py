"""The catalog, and what workspaces choose of it, in memory: one query says whether what this process keeps still holds.

What people choose for themselves is not here, nor anything about credentials.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from catalog.models import CatalogVersion, ContextDefault, FallbackStep, LanguageModel, Limit, ModelAlias, Rule

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


_kept: tuple[str, Snapshot] = ("", Snapshot({}))


def current() -> Snapshot:
    """One query, seven after a change.

    The stamp is read before the rows, so rows that are newer than their stamp are read once more and never too old.
    """
    global _kept
    stamp = CatalogVersion.objects.values_list("stamp", flat=True).first()
    kept, found = _kept
    if stamp is None or stamp != kept:
        found = _read()
        if stamp is not None:
            _kept = (stamp, found)
    return found


def _read() -> Snapshot:
    by_pk = {row.pk: row for row in LanguageModel.objects.all()}
    found = Snapshot({row.key: row for row in by_pk.values()})
    for default in ContextDefault.objects.filter(user__isnull=True):
        found.defaults[default.workspace_id][default.context] = by_pk[default.model_id].key
    for step in FallbackStep.objects.filter(enabled=True).order_by("context", "order"):
        chains = found.chains[step.workspace_id]
        chains[step.context] = (*chains.get(step.context, ()), by_pk[step.model_id].key)[:LONGEST_CHAIN]
    for alias in ModelAlias.objects.all():
        alias.target = by_pk[alias.target_id]
        found.aliases[alias.workspace_id][alias.name] = alias
    for rule in Rule.objects.all():
        found.rules[rule.workspace_id].append(rule)
    for limit in Limit.objects.all():
        found.limits[limit.workspace_id].append(limit)
    return found
