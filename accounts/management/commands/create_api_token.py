"""Make an API token from the command line; the token is all that goes to standard output."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Membership
from accounts.policies import SCOPES
from accounts.tokens import DEFAULT_DAYS, mint


class Command(BaseCommand):
    help = "Make an API token for a member and print it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--scopes", nargs="+", choices=sorted(SCOPES), default=["chat", "models"])
        parser.add_argument("--name", default="Command line")
        parser.add_argument("--days", type=int, default=DEFAULT_DAYS, help="how long it lasts, at most 365")
        parser.add_argument("--workspace", help="name of the workspace (default: the one joined first)")

    def handle(self, *args: Any, email: str, scopes: list[str], name: str, days: int, **options: Any) -> None:
        joined = Membership.objects.filter(user__email__iexact=email, user__is_active=True)
        if options["workspace"]:
            joined = joined.filter(workspace__name=options["workspace"])
        membership = joined.select_related("user", "workspace").order_by("created_at", "pk").first()
        if membership is None:
            raise CommandError(f"{email} is in no such workspace; create_member adds them")
        try:
            token, plain = mint(membership.user, membership.workspace, name, scopes, days)
        except ValueError as error:
            raise CommandError(str(error)) from None
        until = f"{token.expires_at:%-d %B %Y}"
        self.stderr.write(f"For {email} in {membership.workspace.name}: {', '.join(token.scopes)}; until {until}.")
        self.stdout.write(plain)
