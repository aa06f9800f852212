"""Check that no audit entry was changed, removed or added behind our back; exit 1 when one was."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.models import AuditHead


class Command(BaseCommand):
    help = "Verify the audit chains and name the first broken entry of each."

    def handle(self, *args: Any, **options: Any) -> None:
        faults = audit.broken()
        for fault in faults:
            self.stderr.write(f"{fault.chain}: entry {fault.sequence} was {fault.reason}")
        if faults:
            raise CommandError(f"{len(faults)} of the audit chains broken")
        for head in AuditHead.objects.order_by("chain"):
            self.stdout.write(f"{head.chain}: {head.count} entries, ends in {head.digest[:16]}")
