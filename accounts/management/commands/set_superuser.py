"""Make somebody a superuser of the installation, or take that back: `manage.py set_superuser EMAIL [--revoke]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import audit, memberships
from accounts.models import User


class Command(BaseCommand):
    help = "Open the whole console to a person: every workspace's rows. There is no other way to become a superuser."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--revoke", action="store_true", help="take it back")

    @transaction.atomic
    def handle(self, *args: Any, email: str, revoke: bool, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"{email} is nobody here; create_member adds them")
        if user.is_superuser == revoke:
            user.is_superuser = not revoke
            user.save(update_fields=["is_superuser"])
            memberships.sync_staff(user)
            action = "identity.superuser_revoked" if revoke else "identity.superuser_granted"
            audit.record(action, target=user.email)
        self.stdout.write(f"{user.email} is {'no superuser any more' if revoke else 'a superuser'}")
