"""Look at a Codex login on this machine, and take over the API key in it for a member."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Membership
from accounts.policies import actor_for
from accounts.problems import Problem
from providers import credentials
from providers.sessions import codex_login


class Command(BaseCommand):
    help = "Say what a Codex login on this machine is; with --import-for, keep its API key as a member's own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--home", default=str(Path.home() / ".codex"), help="where its auth.json is")
        parser.add_argument("--import-for", metavar="EMAIL", help="whose own OpenAI key it becomes")
        parser.add_argument("--workspace", help="name of the workspace (default: the one joined first)")

    def handle(self, *args: Any, home: str, **options: Any) -> None:
        login = codex_login.detect(home)
        words = [f"state: {login.state}"]
        words += [f"plan: {login.plan}"] if login.plan else []
        words += [f"account: {login.account}"] if login.account else []
        words += (
            [f"until: {datetime.fromtimestamp(login.expires_at, UTC):%-d %B %Y, %H:%M} UTC"] if login.expires_at else []
        )
        self.stdout.write("\n".join(words))
        if email := options["import_for"]:
            self._import(login, email, options["workspace"])

    def _import(self, login: codex_login.Login, email: str, workspace: str | None) -> None:
        if not login.key:
            raise CommandError("This login holds no API key. Its tokens are its own program's and are not taken over.")
        joined = Membership.objects.filter(user__email__iexact=email, user__is_active=True)
        if workspace:
            joined = joined.filter(workspace__name=workspace)
        membership = joined.select_related("user", "workspace").order_by("created_at", "pk").first()
        if membership is None:
            raise CommandError(f"{email} is in no such workspace; create_member adds them")
        try:
            row = credentials.save(actor_for(membership), provider_id="openai", secret=login.key, shared=False)
        except Problem as problem:
            raise CommandError(problem.title) from None
        self.stdout.write(f"kept: {row.hint}, for {email} in {membership.workspace.name}")
