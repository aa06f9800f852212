"""manage.py purge_attachments: remove files that were attached and never sent, and files without a row."""

from typing import Any

from django.core.management.base import BaseCommand

from chat import leftovers


class Command(BaseCommand):
    help = "Remove files older than a day that no message carries. Every process with a workshop does it hourly."

    def handle(self, *args: Any, **options: Any) -> None:
        unsent, strays = leftovers.purge()
        self.stdout.write(f"{unsent} unsent attachments and {strays} stray files removed.")
