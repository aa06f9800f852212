"""Moving what names one model to another one, on somebody's word: what it would touch, doing it, and taking it back.

Answers and traces are history and stay. Apps above say what of theirs names a model by adding a `Place`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.problems import Problem
from catalog.models import LanguageModel, ModelMigration
from catalog.places import CATALOG_PLACES

type Key = str | int


class Place(Protocol):
    """Rows that name a model. `workspace_id` None is the whole installation, all its workspaces included."""

    @property
    def name(self) -> str:
        """A word that counts are told under."""

    def naming(self, workspace_id: UUID | None, key: str) -> int:
        """How many rows name the model."""

    def move(self, workspace_id: UUID | None, old: LanguageModel, new: LanguageModel) -> Sequence[Key]:
        """Let those rows name the other one; the rows that now do."""

    def move_back(self, rows: Sequence[Key], old: LanguageModel, new: LanguageModel) -> None:
        """As before, for those that still name `new`."""


_places: list[Place] = list(CATALOG_PLACES)


def add_place(place: Place) -> None:
    """Called once by an app as it starts."""
    if place.name not in {one.name for one in _places}:
        _places.append(place)


@dataclass(frozen=True, slots=True)
class Mover:
    """Who moves, and how far: `workspace_id` None is for those who run the installation."""

    user_id: UUID
    workspace_id: UUID | None


def affected(workspace_id: UUID | None, key: str) -> dict[str, int]:
    """What names the model, by place; one query each."""
    return {place.name: place.naming(workspace_id, key) for place in _places}


def migrate(mover: Mover, old: LanguageModel, new: LanguageModel) -> ModelMigration:
    """Move everything in reach in one transaction, and write down what. Raises Problem 422."""
    if new.vanished or new.pk == old.pk:
        raise Problem(422, "invalid_successor", "Choose another model, one that is still listed.", field="to_model")
    with transaction.atomic():
        moved = {place.name: [str(pk) for pk in place.move(mover.workspace_id, old, new)] for place in _places}
        return ModelMigration.objects.create(
            workspace_id=mover.workspace_id,
            from_model=old.key,
            to_model=new.key,
            made_by_id=mover.user_id,
            counts={name: len(rows) for name, rows in moved.items()},
            moved=moved,
        )


def undo(mover: Mover, pk: int) -> ModelMigration:
    """Rows that somebody has changed since keep what they have. Raises Problem 409 when it was undone before, or when
    one of the two models is not in the catalog any more."""
    with transaction.atomic():
        row = ModelMigration.objects.select_for_update().get(pk=pk)
        old, new = model_of(row.from_model), model_of(row.to_model)
        if row.undone_at is not None or old is None or new is None:
            raise Problem(409, "not_undoable", "This move cannot be undone any more.")
        for place in _places:
            place.move_back(row.moved.get(place.name, []), old, new)
        row.undone_at, row.undone_by_id = timezone.now(), mover.user_id
        row.save(update_fields=["undone_at", "undone_by"])
    return row


def model_of(key: str) -> LanguageModel | None:
    provider_id, _, model_id = key.partition("/")
    return LanguageModel.objects.filter(provider_id=provider_id, model_id=model_id).first()


def total(counts: dict[str, Any]) -> int:
    return sum(int(count) for count in counts.values())
