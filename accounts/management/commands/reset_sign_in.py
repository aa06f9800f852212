"""Let somebody back in who lost their device and their recovery codes: `manage.py reset_sign_in EMAIL`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import recovery
from accounts.models import User
from accounts.problems import Problem


class Command(BaseCommand):
    help = (
        "Remove every way in of a person, sign them out everywhere, and tell them by mail how to come back with a code "
        "to their address. For the last administrator; others are helped in the console."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        person = User.objects.filter(email__iexact=email).first()
        if person is None:
            raise CommandError(f"{email} is nobody here")
        try:
            recovery.reset(person, None, settings.PUBLIC_URL)
        except Problem as problem:
            raise CommandError(problem.detail) from None
        self.stdout.write(f"{person.email} comes back with a code to that address; a mail says so")
