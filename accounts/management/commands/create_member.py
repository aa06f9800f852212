"""Give somebody a membership from the command line: `manage.py create_member EMAIL --role owner`."""

from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts import memberships, unfinished
from accounts.links import make_sign_in_link
from accounts.models import Role, User, Workspace


class Command(BaseCommand):
    help = "Create a person with a verified e-mail address and give them a role in a workspace. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--role", choices=Role.values, default=Role.MEMBER.value)
        parser.add_argument("--workspace", help="name of the workspace; made when missing (default: the first one)")

    def handle(self, *args: Any, email: str, role: str, workspace: str | None, **options: Any) -> None:
        try:
            user, place = create_member(email, Role(role), workspace)
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address") from None
        except memberships.LastOwner:
            raise CommandError("the workspace would be left without an owner") from None
        self.stdout.write(f"{user.email} is {role} of {place.name}")
        if settings.DEVELOPMENT:
            self.stdout.write(f"Sign in once, from this machine, within 30 minutes: {make_sign_in_link(user)}")


@transaction.atomic
def create_member(email: str, role: Role, workspace_name: str | None = None) -> tuple[User, Workspace]:
    """The person and the workspace, each made when missing. Raises ValidationError, LastOwner."""
    validate_email(email)
    unfinished.forget(email)
    user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    place = _workspace(workspace_name)
    memberships.grant(user, place, role)
    return user, place


def _workspace(name: str | None) -> Workspace:
    if not name:
        return memberships.first_workspace()
    return Workspace.objects.filter(name=name).order_by("created_at").first() or Workspace.objects.create(name=name)
