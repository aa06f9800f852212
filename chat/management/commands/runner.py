"""manage.py runner: execute runs in a process of their own, apart from the web processes (RUNNER=separate)."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import vault
from chat import runner

GRACE_SECONDS = 25.0


class Command(BaseCommand):
    help = "Execute queued runs until SIGTERM, then finish what runs within the grace time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--grace", type=float, default=GRACE_SECONDS, help="seconds to finish in (default: 25)")

    def handle(self, *args: Any, grace: float, **options: Any) -> None:
        if refusal := vault.refusal():
            raise CommandError(refusal)
        ended = threading.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: ended.set())
        runner.start_in_background()
        self.stderr.write("The runner takes queued runs.")
        ended.wait()
        runner.drain(grace)
