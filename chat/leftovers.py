"""Files that nobody wants any more: attached and never sent, or on the disk without a row."""

from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from chat.models import Attachment

KEPT = timedelta(days=1)
FOLDER = "attachments"


def purge() -> tuple[int, int]:
    """Remove what is older than a day; returns how many unsent attachments and how many stray files went."""
    return _unsent(), _strays()


def _unsent() -> int:
    gone = list(Attachment.objects.unsent().filter(created_at__lt=timezone.now() - KEPT))
    for each in gone:
        each.delete()
    return len(gone)


def _strays() -> int:
    """A process that dies between a file and its row, or between a row's end and its file's, leaves one."""
    if not default_storage.exists(FOLDER):
        return 0
    gone = 0
    for shelf in default_storage.listdir(FOLDER)[0]:
        names = [f"{FOLDER}/{shelf}/{name}" for name in default_storage.listdir(f"{FOLDER}/{shelf}")[1]]
        known = {*_named("file", names), *_named("preview", names)}
        for name in names:
            if name not in known and default_storage.get_modified_time(name) < timezone.now() - KEPT:
                default_storage.delete(name)
                gone += 1
    return gone


def _named(field: str, names: list[str]) -> list[str]:
    return list(Attachment.objects.filter(**{f"{field}__in": names}).values_list(field, flat=True))


def discard_files(sender: Any, instance: Attachment, **_: Any) -> None:
    """A row that goes takes its files along, once that is certain."""
    held = [(each.storage, str(each.name)) for each in (instance.file, instance.preview) if each]

    def discard() -> None:
        for storage, name in held:
            storage.delete(name)

    transaction.on_commit(discard)
