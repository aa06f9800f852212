"""manage.py verify_streams: check every stored stream against its message."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.audit_streams import faults
from chat.models import Run


class Command(BaseCommand):
    help = "Prove that every ended stream is whole and folds into the message stored with it."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for run, fault in faults():
            broken += 1
            self.stderr.write(f"{run.stream_id}: {fault}")
        total = Run.objects.exclude(state__in=Run.ACTIVE).count()
        if broken:
            raise CommandError(f"{broken} of {total} streams are broken.")
        self.stdout.write(f"{total} streams, 0 broken.")
