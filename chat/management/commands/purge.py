"""manage.py purge: remove what workspaces do not keep any longer, and what nobody finished or can use."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import sessions, unfinished
from chat import leftovers, retention


class Command(BaseCommand):
    help = (
        "Remove content, stream events, traces and usage that are older than their workspace keeps them, and files "
        "that nobody wants; sign-ups that were not finished within a day, and sessions that have ended. Every process "
        "with a runner does some of it hourly; this does all of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count what would go, and remove nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        dry = options["dry_run"]
        counted = retention.due() if dry else retention.purge()
        counted["sign-ups"] = unfinished.due().count() if dry else unfinished.purge()
        counted["sessions"] = sessions.ended().count() if dry else sessions.purge()
        for name, count in counted.items():
            self.stdout.write(f"{name}: {count}{' would go' if dry else ' gone'}")
        if not dry:
            unsent, strays = leftovers.purge()
            self.stdout.write(f"files: {unsent + strays} gone")
