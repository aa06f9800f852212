"""What an explanation says about limits is what a start meets: the same limit, or none."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.policies import Actor
from accounts.problems import Problem
from catalog.models import Limit
from chat import runs
from chat.limits import ANSWER_TOKENS
from chat.models import UsageEntry
from chat.protocol import Command
from providers import credentials
from tests.catalog.worlds import model, store
from tests.providers.people import api_client

EXPLAIN = "/api/v1/routing/explain/"
KEY = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"
KEYS = ("openai/big", "openai/small", "gemini/other")
CASES = 60

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def catalog(alice: Actor) -> None:
    store(*(model(key) for key in KEYS))
    for provider_id in ("openai", "gemini"):
        credentials.save(alice, provider_id=provider_id, secret=KEY, shared=True)


def explained(client: Any, **asked: Any) -> dict[str, Any]:
    answer = client.post(EXPLAIN, asked, "application/json")
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def some_limits(rng: random.Random, actor: Actor, other: Actor) -> None:
    for _ in range(rng.randint(1, 3)):
        measure = rng.choice(["requests", "tokens"])
        scale = 1 if measure == "requests" else 1_000
        soft, hard = rng.choice([(None, 1), (None, 1), (None, 2), (2, 4), (1, None)])
        Limit.objects.create(
            workspace_id=actor.workspace_id,
            user=rng.choice([None, None, None, User.objects.get(pk=rng.choice([actor, other]).user_id)]),
            provider_id=rng.choice(["", "", "openai", "gemini"]),
            model_pattern=rng.choice(["", "", "big", "s*"]),
            measure=measure,
            period=rng.choice(["hour", "day", "month"]),
            soft=soft and soft * scale,
            hard=hard and hard * scale,
        )


def some_usage(rng: random.Random, *actors: Actor) -> None:
    for _ in range(rng.randint(0, 6)):
        whose = rng.choice(actors)
        UsageEntry.objects.create(
            workspace_id=whose.workspace_id,
            user_id=whose.user_id,
            context="chat",
            model=rng.choice(KEYS),
            at=timezone.now() - rng.choice([timedelta(), timedelta(), timedelta(days=40)]),
            requests=rng.choice([0, 1, 1]),
            reserved=rng.choice([0, 1_400]),
            output_tokens=rng.choice([None, 700]),
        )


def met_by_a_run(actor: Actor, text: str, key: str) -> dict[str, Any] | None:
    """The limit that refuses a run; None when it starts. What it stores is taken back."""
    try:
        with transaction.atomic():
            runs.start(actor, Command(text=text, model=key))
            transaction.set_rollback(True)
    except Problem as problem:
        found: dict[str, Any] = problem.extra["limit"]
        return found
    return None


def sent_by(actor: Actor, text: str) -> int:
    """The tokens that a start takes the text for."""
    with transaction.atomic():
        Limit.objects.create(workspace_id=actor.workspace_id, measure="tokens", hard=10**9)
        run = runs.start(actor, Command(text=text, model=KEYS[0]))
        reserved = UsageEntry.objects.get(run=run).reserved
        transaction.set_rollback(True)
    return reserved - ANSWER_TOKENS


def test_what_is_foreseen_is_what_a_start_meets(alice: Actor, bob: Actor) -> None:
    rng = random.Random(20261126)
    texts = {text: sent_by(bob, text) for text in ("Hello", "word " * 2_000)}
    client = api_client(bob)
    seen = Counter[str]()
    for _ in range(CASES):
        with transaction.atomic():
            some_limits(rng, bob, alice)
            some_usage(rng, bob, bob, alice)
            text, key = rng.choice(list(texts)), rng.choice(KEYS)
            told, met = explained(client, model=key, tokens=texts[text]), met_by_a_run(bob, text, key)
            transaction.set_rollback(True)
        limit = told.get("limit")
        assert limit is None or 0 < limit.pop("retry_after") <= 31 * 86_400
        assert limit == met
        assert (told["error"], bool(told["attempts"])) == (("policy_denied", False) if met else (None, True))
        assert met or all(one["left"] != 0 for one in told["limits"])
        seen["refused" if met else "started"] += 1
        seen["told"] += bool(told["limits"])
        seen["of tokens"] += bool(met and met["measure"] == "tokens")
    assert min(seen.values()) >= CASES / 10, seen


def test_what_remains_is_told_before_it_is_gone(bob: Actor) -> None:
    Limit.objects.create(workspace_id=bob.workspace_id, hard=2, model_pattern="big")
    client = api_client(bob)
    for left in (2, 1):
        told = explained(client, model="openai/big")
        assert [(one["hard"], one["left"]) for one in told["limits"]] == [(2, left)]
        assert "limit" not in told
        runs.start(bob, Command(text="Hello", model="openai/big"))
    told = explained(client, model="openai/big")
    assert (told["error"], told["attempts"], told["limit"]["used"]) == ("policy_denied", [], 2)
    assert told["message"].startswith("Your limit of 2 requests a day of big is reached.")
    assert told["candidates"][0]["verdict"] == "chosen"
    assert explained(client, model="openai/small")["limits"] == []
    assert UsageEntry.objects.count() == 2, "an explanation counts for nothing"
