"""What the journal's commit costs: CPU for 1,000 events when each commit holds one event of each of 16 runs, as it does
when 20 answers are written at 20 tokens a second.

`uv run python -m tests.bench journal` measures SQLite, or what `DATABASE_URL` names (an empty database)."""

import os
import tempfile
import time
import uuid
from collections.abc import Sequence
from typing import Any

RUNS = 16
COMMITS = 200
ROUNDS = 4


def main(arguments: Sequence[str] = ()) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    with tempfile.TemporaryDirectory() as home:
        os.environ["PARLEY_HOME"] = home
        _measure()


def _measure() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    runs = _runs()
    best = min(_commits(runs, number * COMMITS) for number in range(ROUNDS))
    print(f"{connection.vendor}: {best:.0f} ms CPU for 1,000 events, {RUNS} of them a commit")
    connection.close()


def _runs() -> list[Any]:
    from accounts.models import User, Workspace
    from chat.models import Run

    who = {"user": User.objects.create(email="alice@example.com"), "workspace": Workspace.objects.create(name="Bench")}
    made = []
    for _ in range(RUNS):
        place = {"stream_id": uuid.uuid4(), "branch": uuid.uuid4(), "context": "chat", "state": "running"}
        made.append(Run.objects.create(**who, **place))
    return made


def _commits(runs: list[Any], first: int) -> float:
    from chat.ledger import Slice, commit
    from chat.protocol import Entry

    began = time.process_time()
    for number in range(first + 1, first + COMMITS + 1):
        entry = (Entry(number, "content_delta", {"delta": f" word {number}"}),)
        commit([Slice(run.pk, run.stream_id, entry) for run in runs], "bench")
    return (time.process_time() - began) * 1e6 / (COMMITS * RUNS)
