"""Read the providers' model lists now."""

from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandParser

from catalog import sync
from providers import checks


class Command(BaseCommand):
    help = "Read the providers' model lists into the catalog; exits with 1 when one of them failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", nargs="*", help="only these providers, for example: openai gemini")

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = async_to_sync(checks.and_close)(_read(options["provider"]))
        for outcome in outcomes:
            self.stdout.write(f"{outcome.provider_id}: {outcome.error or f'{outcome.model_count} models'}")
        if any(outcome.error for outcome in outcomes):
            raise SystemExit(1)


async def _read(names: list[str]) -> list[sync.Outcome]:
    return [await sync.sync_provider(name) for name in names] if names else await sync.sync_all()
