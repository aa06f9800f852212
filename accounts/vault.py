"""Every place of the database that holds something sealed, found by itself; what is under which key, and moving it.

A place is a strict column of any model, or a JSON column in which a package keeps what our hooks sealed. Nothing here
gives out a secret: values are opened to be sealed again, or to learn that they open.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import DatabaseError, models, transaction
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast

from accounts import keyring, sealing, seeds
from accounts.fields import StrictEncryptedTextField
from accounts.keyring import DecryptionFailed

BATCH = 200
PASSES = 10  # over one place, for rows that somebody else held or changed meanwhile
SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A column that holds sealed values; in a JSON object, `inside` says under which name, by the row."""

    model: type[models.Model]
    column: str
    sealed_for: Callable[[Any], str]
    inside: Callable[[Any], str | None] | None = None

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.column}"  # noqa: SLF001

    def rows(self) -> QuerySet[Any]:
        """Rows with something in the column, by their primary key. `stored` is its text; the column is not read."""
        rows = self.model._base_manager.defer(self.column).filter(**{f"{self.column}__isnull": False})  # noqa: SLF001
        kept: QuerySet[Any] = rows.annotate(stored=Cast(F(self.column), TextField())).order_by("pk")
        return kept

    def value(self, row: Any) -> str | None:
        """The sealed value of a row of `rows`, None when this row has none."""
        if self.inside is None:
            return str(row.stored)
        name, held = self.inside(row), json.loads(row.stored)
        return str(held.get(name)) if name and isinstance(held, dict) else None

    def replace(self, row: Any, value: keyring.Sealed) -> bool:
        """Put `value` into the row's place unless it holds something else than when it was read."""
        new: Any = value
        if self.inside is not None:
            new = json.loads(row.stored) | {str(self.inside(row)): value}
        return bool(self.rows().filter(pk=row.pk, stored=row.stored).order_by().update(**{self.column: new}))


def places() -> list[Place]:
    """In the order of the installed applications."""
    found = [
        Place(model, one.name, lambda row: str(row.sealed_for))
        for model in apps.get_models()
        if model._meta.managed and not model._meta.proxy  # noqa: SLF001
        for one in model._meta.local_fields  # noqa: SLF001
        if isinstance(one, StrictEncryptedTextField)
    ]
    return [Place(Authenticator, "data", seeds.sealed_for, lambda row: seeds.NAMES.get(row.type)), *found]


# ---------------------------------------------------------------- looking
@dataclass
class Finding:
    """How many values of a place are under which key id ("" for none at all), and the rows that cannot be read."""

    place: Place
    under: Counter[str] = field(default_factory=Counter)
    unreadable: list[Any] = field(default_factory=list)
    given_up: int = 0


def examine(place: Place) -> Finding:
    """Open every value of a place, for the row that holds it."""
    found = Finding(place)
    for row in place.rows().iterator(chunk_size=BATCH):
        value = place.value(row)
        if value is None:
            continue
        key = keyring.key_of(value)
        if key == keyring.LOST:
            found.given_up += 1
            continue
        found.under[key] += 1
        if not _opens(place, row, value):
            found.unreadable.append(row.pk)
    return found


def _opens(place: Place, row: Any, value: str) -> bool:
    try:
        sealing.check(place.sealed_for(row), keyring.decrypt(value))
    except DecryptionFailed:
        return False
    return True


def held_under(key: str) -> dict[str, int]:
    """How many values name this key, by place; places without one are left out."""
    counted = {place.label: sum(1 for _ in _named(place, key)) for place in places()}
    return {label: count for label, count in counted.items() if count}


def _named(place: Place, key: str) -> Iterator[tuple[Any, str]]:
    """Rows whose value names this key, with the value."""
    begins = "stored__contains" if place.inside else "stored__startswith"
    for row in place.rows().filter(**{begins: f"{key}$"}).iterator(chunk_size=BATCH):
        value = place.value(row)
        if value is not None and keyring.key_of(value) == key:
            yield row, value


def refusal() -> str:
    """Why this process must not serve: the ring cannot read what is stored. Empty when it can, when nothing is stored,
    and while the database does not answer, which is another matter."""
    try:
        wrong = [reason for place in places() for reason in _wrong_keys(place)]
    except DatabaseError:
        return ""
    if not wrong:
        return ""
    return (
        f"FIELD_KEYRING cannot read what is stored: {'; '.join(wrong)}. Give back the ring that this database was "
        "written with; `manage.py vault doctor` shows all of it. If a key is gone for good, "
        "`manage.py vault forget ID --lost` gives up what is under it."
    )


def _wrong_keys(place: Place) -> Iterator[str]:
    """A few values under each key tell: one that opens proves the key right, and a single broken row stops nobody."""
    for key in keyring.names():
        sample = [value for (_, value), _ in zip(_named(place, key), range(SAMPLES), strict=False)]
        if sample and not any(_decrypts(value) for value in sample):
            yield f"the key {key} opens nothing in {place.label}"
    known = "|".join((*keyring.names(), keyring.LOST))
    edge = '"' if place.inside else "^"
    for row in place.rows().filter(stored__regex=rf"{edge}(?!({known})\$)[A-Za-z0-9]+\$gAAAA")[:1]:
        yield f"{place.label} has values under the key {keyring.key_of(place.value(row) or '')}, which is not in it"


def _decrypts(value: str) -> bool:
    try:
        keyring.decrypt(value)
    except DecryptionFailed:
        return False
    return True


# ---------------------------------------------------------------- moving
@dataclass
class Moved:
    """What a rotation did to a place. `left` are rows that others kept changing; the next rotation takes them."""

    place: Place
    moved: int = 0
    unreadable: int = 0
    left: int = 0


def rotate(place: Place) -> Moved:
    """Seal everything in a place under the first key of the ring. May be stopped or killed at any moment, by whatever
    means, and called again; several may run at once. Writers wait for a batch of rows at most, and what they write
    meanwhile is kept."""
    done = Moved(place)
    for _ in range(PASSES):
        done.unreadable = done.left = 0
        for batch in _batches(place):
            fresh = {row.pk: (row, value) for row, value in _resealed(batch, place)}
            stored = _store(place, list(fresh.values()))
            done.unreadable += len(batch) - len(fresh)
            done.left += len(fresh) - stored
            done.moved += stored
        if not done.left:
            break
    return done


def _batches(place: Place) -> Iterator[list[Any]]:
    """Rows that are not under the first key, in the order of their primary keys."""
    first, last = keyring.names()[0], None
    waiting = place.rows()
    if place.inside is None:
        waiting = waiting.exclude(stored__startswith=f"{first}$")
    while batch := list((waiting.filter(pk__gt=last) if last is not None else waiting)[:BATCH]):
        last = batch[-1].pk
        yield [row for row in batch if _moves(place.value(row), first)]


def _moves(value: str | None, first: str) -> bool:
    return value is not None and keyring.key_of(value) not in {first, keyring.LOST}


def _resealed(batch: list[Any], place: Place) -> Iterator[tuple[Any, keyring.Sealed]]:
    """What can be opened, sealed anew and read back. What it is bound to goes with it as it is."""
    for row in batch:
        try:
            opened = keyring.decrypt(place.value(row) or "")
        except DecryptionFailed:
            continue
        value = keyring.encrypt(opened)
        if keyring.decrypt(value) == opened:
            yield row, value


def _store(place: Place, fresh: list[tuple[Any, keyring.Sealed]]) -> int:
    """Rows that somebody else has locked are left to the next pass: nobody waits for a rotation that waits."""
    with transaction.atomic():
        rows = place.model._base_manager.filter(pk__in=[row.pk for row, _ in fresh]).order_by()  # noqa: SLF001
        free = set(rows.select_for_update(skip_locked=True).values_list("pk", flat=True))
        return sum(place.replace(row, value) for row, value in fresh if row.pk in free)


@transaction.atomic
def give_up(key: str) -> dict[str, int]:
    """Mark what is under a key that is gone as lost, for good: whoever needs it is asked to enter it again."""
    counted: Counter[str] = Counter()
    for place in places():
        for row, _ in list(_named(place, key)):
            counted[place.label] += place.replace(row, keyring.GIVEN_UP)
    return dict(counted)
