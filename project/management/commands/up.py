"""`manage.py up`: from an empty folder to a workspace that answers, in one process and its children."""

import json
import os
import secrets
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import vault
from project import first_run
from project.listening import LOOPBACK, CannotListen, Listener, reserve
from providers.children import Child, ChildFailed

CHILD_SECONDS = 30.0
MODEL_SECONDS = 300.0
SYNC_SECONDS = 60.0


class Command(BaseCommand):
    help = "Start a useful workspace: tables, an owner, models that answer, and the server in the foreground."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, choices=range(65536), metavar="PORT", help="0: a free one"
        )
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--email", help="the owner; owner@localhost, or the owner there is, by default")
        parser.add_argument("--json", action="store_true", help="print one JSON line when ready, and nothing else")
        parser.add_argument("--local-model", action="store_true", help="answer with a small model on this machine")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError("This is an installation of its own: run a server, as docs/operations.md describes.")
        try:
            port, addresses = reserve(options["host"], options["port"])
        except CannotListen as error:
            raise CommandError(f"{error}. Stop what runs there, or choose another port: --port 0.") from None
        children = self._start_children(options["local_model"])
        try:
            first_run.migrate()
            if refusal := vault.refusal():
                raise CommandError(refusal)
            entry = first_run.ways_in(options["email"])
            self._connect(children)
            self._sync(SYNC_SECONDS)
            if "model" in children:
                first_run.answer_with("openai_compatible")
            host = "localhost" if options["host"] in LOOPBACK else options["host"]
            self._serve(port, addresses, self._announcement(f"http://{host}:{port}", entry, options["json"]))
        except ChildFailed as error:
            raise CommandError(f"{error}; its own words are above.") from None
        finally:
            for child in children.values():
                child.end()

    def _start_children(self, local_model: bool) -> dict[str, Child]:
        children = {}
        if not settings.SANDBOX_URL:
            children["sandbox"] = Child("sandbox", "-m", "providers.sandbox", "--port", "0", "--lifeline")
        if local_model:
            # The key keeps other programs of this machine out.
            key = settings.PROVIDER_KEYS["openai_compatible"] = secrets.token_urlsafe(24)
            command = ("manage.py", "local_model", "--json", "--lifeline")
            children["model"] = Child("local model", *command, PARLEY_LOCAL_MODEL_KEY=key)
        return children

    def _connect(self, children: dict[str, Child]) -> None:
        """Tell the settings where the children listen, before anything asks them."""
        if sandbox := children.get("sandbox"):
            settings.SANDBOX_URL = sandbox.announcement(CHILD_SECONDS)["url"]
            os.environ["PARLEY_SANDBOX_URL"] = settings.SANDBOX_URL
        if model := children.get("model"):
            settings.PROVIDER_BASE_URLS["openai_compatible"] = model.announcement(MODEL_SECONDS)["base_url"]

    def _sync(self, seconds: float) -> None:
        """Read the providers' lists in a process of its own, which takes the SDKs' memory with it when it ends. What is
        not read by then, the server reads in the background."""
        ours = os.environ | {"PARLEY_SANDBOX_URL": settings.SANDBOX_URL}
        for provider, key in settings.PROVIDER_KEYS.items():
            ours[f"{provider.upper()}_API_KEY"] = key
            ours[f"{provider.upper()}_BASE_URL"] = settings.PROVIDER_BASE_URLS[provider]
        command = [sys.executable, "manage.py", "sync_catalog"]
        try:
            subprocess.run(  # noqa: S603
                command, cwd=settings.BASE_DIR, env=ours, stdout=subprocess.DEVNULL, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            self.stderr.write(
                f"The lists of models were not read within {seconds:g} s, so some models may be missing at first. "
                "The server goes on reading them; `manage.py sync_catalog` says what each provider answers."
            )

    def _announcement(self, url: str, entry: first_run.WaysIn, as_json: bool) -> str:
        if as_json:
            fields = {"url": url, "sign_in_url": url + entry.path, "api_token": entry.api_token}
            return json.dumps(fields | {"sandbox_url": settings.SANDBOX_URL})
        return (
            f"\nParley is ready. This address signs {entry.email} in once, from this machine:\n\n"
            f"    {url}{entry.path}\n\n"
            "Stop with Ctrl-C; everything is kept.\n"
        )

    def _serve(self, port: int, addresses: list[str], announcement: str) -> None:
        from project import background
        from project.asgi import application

        def ready() -> None:
            self.stdout.write(announcement)
            self.stdout.flush()

        background.start()
        server = Listener(application, port, addresses, ready)
        server.run()
        if server.failure:
            raise CommandError(server.failure)
