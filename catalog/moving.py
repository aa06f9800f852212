"""Succession within one workspace, for whoever administers it; `succession` does the moving."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.policies import Actor
from accounts.problems import Problem, not_found
from catalog import succession
from catalog.facts import facts_for
from catalog.models import LanguageModel, ModelMigration
from catalog.naming import require_administrator


@dataclass(frozen=True, slots=True)
class Leaving:
    key: str
    lifecycle: str
    retires_at: datetime | None
    successor: str
    affected: dict[str, int]


def leaving(actor: Actor) -> list[Leaving]:
    """Raises Problem 403. A few queries for each model that is leaving."""
    require_administrator(actor)
    found = []
    for row in facts_for(actor).models.values():
        if row.leaving:
            counts = succession.affected(actor.workspace_id, row.key)
            if succession.total(counts):
                found.append(Leaving(row.key, row.lifecycle, row.retires_at, row.successor, counts))
    return found


def made(actor: Actor) -> QuerySet[ModelMigration]:
    """Raises Problem 403."""
    require_administrator(actor)
    return ModelMigration.objects.visible_to(actor)


@transaction.atomic
def move(actor: Actor, *, from_model: str, to_model: str) -> ModelMigration:
    """Raises Problem 403, 422."""
    require_administrator(actor)
    rows = facts_for(actor).models
    moved = succession.migrate(
        _mover(actor), _named(rows.get(from_model), "from_model"), _named(rows.get(to_model), "to_model")
    )
    audit.note(actor, "model.moved", from_model, to=to_model)
    return moved


@transaction.atomic
def take_back(actor: Actor, pk: int) -> ModelMigration:
    """Raises Problem 404, 403, 409."""
    if not ModelMigration.objects.visible_to(actor).filter(pk=pk).exists():
        raise not_found()
    require_administrator(actor)
    undone = succession.undo(_mover(actor), pk)
    audit.note(actor, "model.move_undone", undone.from_model, to=undone.to_model)
    return undone


def _named(row: LanguageModel | None, field: str) -> LanguageModel:
    if row is None:
        raise Problem(422, "model_not_found", "No provider here lists this model.", field=field)
    return row


def _mover(actor: Actor) -> succession.Mover:
    return succession.Mover(actor.user_id, actor.workspace_id)
