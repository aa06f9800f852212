"""What one read of the catalog costs a server that has read it before: 500 models, the whole answer, and its parts.

`uv run python -m tests.bench catalog` prints CPU milliseconds a request, with the view called as a server calls it.
"""

import os
import tempfile
import time
from collections.abc import Callable
from typing import Any

MODELS = 500
REQUESTS = 200


def main(arguments: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    with tempfile.TemporaryDirectory() as home:
        os.environ["PARLEY_HOME"] = home
        os.environ["OPENAI_API_KEY"] = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"
        _measure()
    return 0


def _measure() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    client = _client()
    address = "/api/v1/models/"
    answer = client.get(address)
    assert answer.status_code == 200, answer.content[:300]
    print(f"{MODELS} models, an answer of {len(answer.content) / 1000:.0f} kB")
    print(f"GET /api/v1/me/, for comparison: {_cpu(lambda: client.get('/api/v1/me/')):.1f} ms CPU")
    print(f"GET {address}, warm: {_cpu(lambda: client.get(address)):.1f} ms CPU")
    print(f"the picker's choices, warm: {_cpu(_picker()):.1f} ms CPU")


def _client() -> Any:
    from django.test import Client
    from django.utils import timezone

    from accounts.models import Membership, User, Workspace
    from accounts.tokens import mint
    from catalog.enrichment import shipped
    from catalog.evidence import say
    from catalog.models import LanguageModel

    today, shown = timezone.now().date(), list(shipped()[1].values())
    rows = []
    for number in range(MODELS):
        entry = shown[number % len(shown)]
        row = LanguageModel(provider_id="openai", model_id=f"m-{number}", label=f"Model {number}", shared=True)
        row.last_seen_at = timezone.now()
        for ability in ("tools", "vision", "documents", "reasoning", "structured"):
            say(row, ability, ability in entry.get("can", ()), "data", today)
        for fact, name in (("context_window", "context_window"), ("prices", "prices"), ("efforts", "efforts")):
            say(row, fact, entry.get(name), "data", today)
        rows.append(row)
    LanguageModel.objects.bulk_create(rows)
    user = User.objects.create(email="alice@example.com")
    workspace = Workspace.objects.create(name="Bench")
    Membership.objects.create(user=user, workspace=workspace, role="owner")
    _, plain = mint(user, workspace, "bench", ["models"])
    return Client(headers={"Authorization": f"Bearer {plain}", "host": "localhost"})


def _picker() -> Callable[[], Any]:
    from accounts.models import Membership
    from accounts.policies import actor_for
    from catalog.choices import picker

    actor = actor_for(Membership.objects.get())
    return lambda: picker(actor)


def _cpu(work: Callable[[], Any]) -> float:
    """Milliseconds, the best of five rounds."""
    work()
    rounds = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(REQUESTS // 5):
            work()
        rounds.append((time.process_time() - began) * 1000 / (REQUESTS // 5))
    return min(rounds)
