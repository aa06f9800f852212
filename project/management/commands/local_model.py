"""`manage.py local_model`: serve a very small real model on this machine, in the foreground, until told to stop."""

import contextlib
import json
import os
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from project import env, local_model


class Command(BaseCommand):
    help = "Serve a very small local model (for trying things out) as an OpenAI-compatible provider."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=0, choices=range(65536), metavar="PORT", help="0: a free one")
        parser.add_argument("--json", action="store_true", help="print one JSON line when ready, and nothing else")
        parser.add_argument("--lifeline", action="store_true", help="stop when standard input closes")

    def handle(self, *args: Any, **options: Any) -> None:
        over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
        if options["lifeline"]:
            threading.Thread(target=_watch_stdin, args=(over,), daemon=True).start()
        key = env.text("PARLEY_LOCAL_MODEL_KEY")
        try:
            running = local_model.start(port=options["port"], key=key)
        except local_model.Unavailable as error:
            raise CommandError(str(error)) from None
        self.stdout.write(_announcement(running, key, as_json=options["json"]))
        self.stdout.flush()
        over.wait()
        os._exit(0)  # the runtime hangs now and then when it is taken down, and it holds nothing to lose


def _announcement(running: local_model.LocalModel, key: str, *, as_json: bool) -> str:
    """The key stays out of it: whoever set it knows it."""
    if as_json:
        fields = {"url": running.url, "base_url": running.base_url, "model": local_model.ALIAS}
        return json.dumps(fields | {"key_required": bool(key)})
    key_line = "the value of PARLEY_LOCAL_MODEL_KEY" if key else ""
    return (
        f"\nThe local model {local_model.ALIAS} listens at {running.url}\n"
        "It is very small, for trying things out. Start Parley with:\n\n"
        f"    OPENAI_COMPATIBLE_BASE_URL={running.base_url}\n"
        f"    OPENAI_COMPATIBLE_API_KEY={key_line}\n\n"
        "Stop with Ctrl-C.\n"
    )


def _watch_stdin(over: threading.Event) -> None:
    """Whoever started us holds the other end; when it dies, so do we. Unbuffered, so that no lock outlives the exit."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    over.set()
