"""A rule that one process changes holds in another from its next request on, although both keep the catalog in
memory."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from accounts.policies import Actor
from catalog.models import Limit, Rule
from providers import credentials
from tests.catalog.test_policy import KEY
from tests.catalog.worlds import model, store

ROOT = Path(__file__).resolve().parents[2]
# Answers one line for each line it reads: where a request would go now, and which limits hold.
OTHER = """
import json, sys
import django
django.setup()
from uuid import UUID
from accounts.models import Membership
from accounts.policies import actor_for
from catalog import limits
from catalog.facts import facts_for
from catalog.routing import RoutingRequest, plan
actor = actor_for(Membership.objects.get(user_id=UUID(sys.argv[1])))
for _ in sys.stdin:
    where = plan(RoutingRequest("chat", "openai/a"), facts_for(actor))
    print(json.dumps([where.error or "chosen", len(limits.holding(actor))]), flush=True)
"""


def database_url() -> str:
    """Of the database that this test stands on."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return f"postgres://{found['USER']}@{found['HOST']}:{found['PORT'] or 5432}/{found['NAME']}"


@pytest.fixture
def other(transactional_db: None, alice: Actor) -> Iterator["subprocess.Popen[str]"]:
    settings = {"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONPATH": str(ROOT)}
    environment = os.environ | settings | {"DATABASE_URL": database_url()}
    command = [sys.executable, "-c", OTHER, str(alice.user_id)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.terminate()


def asked(process: "subprocess.Popen[str]") -> list[object]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    found: list[object] = json.loads(process.stdout.readline())
    return found


def test_a_changed_rule_and_limit_hold_on_the_next_request_of_another_process(
    alice: Actor, other: "subprocess.Popen[str]"
) -> None:
    store(model("openai/a"))
    credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    assert asked(other) == ["chosen", 0]
    rule = Rule.objects.create(workspace_id=alice.workspace_id, effect="deny", provider_id="openai")
    assert asked(other) == ["policy_denied", 0]
    rule.effect = "allow"
    rule.save()
    Limit.objects.create(workspace_id=alice.workspace_id, hard=1)
    assert asked(other) == ["chosen", 1]
    Rule.objects.filter(pk=rule.pk).update(provider_id="gemini")
    assert asked(other) == ["policy_denied", 1]
    Rule.objects.all().delete()
    Limit.objects.all().delete()
    assert asked(other) == ["chosen", 0]
