"""Asking where a request would go: the same plan that a run follows, told without calling anybody."""

import random
from typing import Any

import pytest

from accounts.policies import Actor
from catalog import policies
from catalog.facts import LEVELS, Facts, facts_for
from catalog.models import Context, FallbackStep, LanguageModel
from catalog.policies import Decision
from catalog.routing import RoutingRequest, plan
from providers import credentials
from providers.errors import ErrorCode, ProviderError
from providers.tries import Tries
from tests.catalog.worlds import credential, facts, model, store
from tests.providers.people import api_client
from tests.providers.upstream import asked

EXPLAIN = "/api/v1/routing/explain/"
CASES = 10_000
KEY = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"
PROVIDERS = ("openai", "gemini", "openai_compatible")
KEYS = [f"{provider}/{name}" for provider in PROVIDERS for name in ("a", "b", "gpt-6.2-sol")]


# ---------------------------------------------------------------- whatever the world looks like
def some(rng: random.Random, these: Any, least: int, most: int) -> list[Any]:
    return rng.sample(list(these), rng.randint(least, most))


def a_world(rng: random.Random) -> Facts:
    models = [
        model(
            key,
            lifecycle=rng.choice(["active", "active", "retiring", "vanished"]),
            sandbox=rng.random() < 0.2,
            supports_tools=rng.choice([True, True, False, None]),
        )
        for key in some(rng, KEYS, 2, 9)
    ]
    held = [
        credential(source, provider, kind=rng.choice(["api_key", "api_key", "session"]))
        for source, provider in some(rng, [(s, p) for s in ("own", "workspace", "sandbox") for p in PROVIDERS], 2, 9)
    ]
    defaults = {(level, "chat"): rng.choice(KEYS) for level in some(rng, LEVELS, 0, 3)}
    return facts(models, held, defaults, {"chat": tuple(some(rng, KEYS, 0, 6))})


def a_request(rng: random.Random) -> RoutingRequest:
    requested = rng.choice(["", "", *KEYS, "nobody/x"])
    return RoutingRequest(
        rng.choice(["chat", "chat", "summary"]), requested, needs=frozenset(some(rng, ["tools"], 0, 1))
    )


def made_by_a_run(request: RoutingRequest, world: Facts) -> list[tuple[str, str]]:
    """What a run would call, one after the other, if nobody's key had any quota left."""
    where = plan(request, world)
    if where.error is not None:
        return []
    empty = ProviderError(ErrorCode.QUOTA_EXCEEDED, "Nothing is left.", provider_id="")
    tries = Tries(where.attempts, until=1e9)
    made = [tries.attempt]
    while tries.go_on(empty, 0.0):
        made.append(tries.attempt)
    return [(f"{one.provider_id}/{one.model_id}", one.credential_ref) for one in made]


def test_what_is_explained_is_what_a_run_does_and_deny_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """In 10,000 worlds. Which models are denied is drawn for each: workspaces have no rules of their own yet."""
    rng, denied, seen = random.Random(20261122), set[str](), {"attempts": 0, "fallbacks": 0, "denied": 0, "refused": 0}

    def decide(actor: Actor, *, provider_id: str, model_id: str, **_: str) -> Decision:
        return Decision(f"{provider_id}/{model_id}" not in denied, "drawn", "Not here.")

    monkeypatch.setattr(policies, "decide", decide)
    for _ in range(CASES):
        world, request = a_world(rng), a_request(rng)
        denied = set(some(rng, KEYS, 0, 5))
        told = plan(request, world).as_json()
        explained = [(f"{one['provider_id']}/{one['model_id']}", one["credential_ref"]) for one in told["attempts"]]
        assert explained == made_by_a_run(request, world)
        assert not denied & {key for key, _ in explained}
        for one in told["candidates"]:
            assert one["verdict"] != "chosen" or one["model"] not in denied
        seen["attempts"] += bool(explained)
        seen["fallbacks"] += len(explained) > 1
        seen["denied"] += any(one["verdict"] == "policy_denied" for one in told["candidates"])
        seen["refused"] += told["error"] == "policy_denied"
    assert min(seen.values()) > CASES / 50, f"the worlds are too much alike: {seen}"


# ---------------------------------------------------------------- the door
@pytest.fixture
def catalog(db: None) -> dict[str, LanguageModel]:
    store(model("openai/a", supports_tools=True), model("gemini/g"), model("openai_compatible/c"))
    return {row.key: row for row in LanguageModel.objects.all()}


def test_the_answer_is_the_plan_of_the_person_who_asks(
    alice: Actor, bob: Actor, catalog: dict[str, LanguageModel], vendors: str
) -> None:
    credentials.save(alice, provider_id="openai", secret=KEY, shared=False)
    credentials.save(alice, provider_id="gemini", secret=KEY, shared=True)
    FallbackStep.objects.create(workspace_id=alice.workspace_id, context="chat", order=1, model=catalog["gemini/g"])
    before = len(asked(vendors))
    answer = api_client(alice).post(EXPLAIN, {"context": "chat", "model": "openai/a", "needs": []}, "application/json")
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told == plan(RoutingRequest("chat", requested="openai/a"), facts_for(alice)).as_json()
    assert [(one["model_id"], one["credential_source"], one["credential_hint"]) for one in told["attempts"]] == [
        ("a", "own", "sk-proj-…4f2a"),
        ("g", "workspace", "sk-proj-…4f2a"),
    ]
    assert KEY not in answer.content.decode()
    other = api_client(bob).post(EXPLAIN, {"model": "openai/a"}, "application/json").json()
    assert (other["attempts"], other["error"]) == ([], "missing_auth")
    assert [line for line in other["credentials"] if line["verdict"] != "absent"] == []
    assert len(asked(vendors)) == before, "nobody is called"


def test_without_a_model_the_default_is_explained(alice: Actor, catalog: dict[str, LanguageModel]) -> None:
    credentials.save(alice, provider_id="openai", secret=KEY, shared=False)
    for context in Context.values:
        told = api_client(alice).post(EXPLAIN, {"context": context}, "application/json").json()
        assert (told["requested"], told["context"], told["attempts"][0]["reason"]) == ("", context, "preference")


@pytest.mark.parametrize(
    "body", [{"context": "dreams"}, {"needs": ["wings"]}, {"model": "x" * 300}, {"needs": "tools"}]
)
def test_a_question_that_makes_no_sense_is_refused(alice: Actor, body: dict[str, Any]) -> None:
    assert api_client(alice).post(EXPLAIN, body, "application/json").status_code in {400, 422}


def test_it_needs_the_scope_of_the_catalog(alice: Actor) -> None:
    assert api_client(alice, scopes=["chat"]).post(EXPLAIN, {}, "application/json").status_code == 403
