"""Asking where a request would go: the same plan that a run follows, told without calling anybody."""

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from accounts.policies import Actor
from catalog.facts import LEVELS, Facts, facts_for
from catalog.models import Context, FallbackStep, LanguageModel, ModelAlias, Rule
from catalog.routing import RoutingRequest, plan
from providers import credentials
from providers.errors import ErrorCode, ProviderError
from providers.tries import Tries
from tests.catalog.worlds import NOW, credential, facts, model, store
from tests.providers.people import api_client
from tests.providers.upstream import asked

EXPLAIN = "/api/v1/routing/explain/"
CASES = 10_000
ALIASES = ["fast", "openai/old-name"]
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
        for key in some(rng, KEYS, 4, 9)
    ]
    held = [
        credential(source, provider, kind=rng.choice(["api_key", "api_key", "session"]))
        for source, provider in some(rng, [(s, p) for s in ("own", "workspace", "sandbox") for p in PROVIDERS], 4, 9)
    ]
    defaults = {(level, "chat"): rng.choice(KEYS) for level in some(rng, LEVELS, 0, 3)}
    made = facts(models, held, defaults, {"chat": tuple(some(rng, KEYS, 0, 6))})
    # Some names are those of models that are there, or were: then they are no aliases.
    names = some(rng, [*ALIASES, rng.choice(KEYS)], 1, 3)
    aliases = {name: an_alias(name, rng.choice([key for key in KEYS if key != name])) for name in names}
    return replace(made, rules=tuple(a_rule(rng) for _ in range(rng.choice([0, 0, 0, 1, 3]))), aliases=aliases)


def an_alias(name: str, target: str, reason: str = "") -> ModelAlias:
    return ModelAlias(name=name, target=model(target), reason=reason, created_at=NOW)


def a_rule(rng: random.Random) -> Rule:
    effect = rng.choice(["deny", "deny", "deny", "allow"])
    return Rule(
        effect=effect,
        provider_id=rng.choice(["", *PROVIDERS]),
        model_pattern=rng.choice(["a", "gpt-*", "*"]) if effect == "deny" else rng.choice(["", "*"]),
        context=rng.choice(["", "", "chat", "summary"]),
        role=rng.choice(["", "", "member", "owner"]),
        credential_source=rng.choice(["", "", "own", "workspace"]),
    )


def a_request(rng: random.Random) -> RoutingRequest:
    names = [*[""] * 6, *KEYS, *ALIASES * 2, "nobody/x"]
    needs = frozenset(some(rng, ["tools"], 0, 1))
    sticky = rng.choice(names) if rng.random() < 0.5 else ""
    return RoutingRequest(rng.choice(["chat", "chat", "summary"]), rng.choice(names), sticky, needs)


def forbidden(world: Facts, request: RoutingRequest, key: str, source: str) -> bool:
    """The rules, read once more in other words: somebody with this role, in this context, with this credential."""
    provider_id, _, model_id = key.partition("/")

    def meets(rule: Rule) -> bool:
        wanted = {
            "provider_id": provider_id,
            "context": request.context,
            "role": "member",
            "credential_source": source,
        }
        pattern = {"": True, "*": True, "a": model_id == "a", "gpt-*": model_id.startswith("gpt-")}
        return pattern[rule.model_pattern] and all(getattr(rule, name) in ("", value) for name, value in wanted.items())

    denies = [rule for rule in world.rules if rule.effect == "deny" and meets(rule)]
    allows = [rule for rule in world.rules if rule.effect == "allow"]
    return bool(denies) or (bool(allows) and not any(meets(rule) for rule in allows))


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


def test_what_is_explained_is_what_a_run_does_and_deny_wins() -> None:
    rng = random.Random(20261122)
    seen = Counter[str]()
    for _ in range(CASES):
        world, request = a_world(rng), a_request(rng)
        told = plan(request, world).as_json()
        explained = [(f"{one['provider_id']}/{one['model_id']}", one["credential_ref"]) for one in told["attempts"]]
        assert explained == made_by_a_run(request, world)
        for one in told["attempts"]:
            key = f"{one['provider_id']}/{one['model_id']}"
            assert not forbidden(world, request, key, one["credential_source"]), (key, world.rules)
            assert world.models[key].lifecycle != "vanished"
        named = request.requested or request.sticky
        stands_for = world.aliases[named].target.key if named in world.aliases and named not in world.models else named
        first = told["candidates"][0] if told["candidates"] else {"model": "", "why": ""}
        if named:
            assert told["requested"] == named
            assert (first["model"], first["why"]) == (stands_for, "request" if request.requested else "conversation")
            assert not explained or explained[0][0] == stands_for
        assert ("alias" in told) == (stands_for != named)
        seen["attempts"] += bool(explained)
        seen["fallbacks"] += len(explained) > 1
        seen["denied"] += any(one["verdict"] == "policy_denied" for one in told["candidates"])
        seen["refused"] += told["error"] == "policy_denied"
        seen["aliases"] += "alias" in told and bool(explained)
        seen["sticky"] += first["why"] == "conversation" and bool(explained)
    assert min(seen.values()) > CASES / 100, f"the worlds are too much alike: {seen}"


def test_a_request_comes_before_what_the_conversation_holds() -> None:
    world = facts([model("openai/a"), model("openai/b")], [credential("own")])
    both = plan(RoutingRequest("chat", "openai/a", "openai/b"), world)
    assert [(one.model_id, one.reason) for one in both.attempts] == [("a", "request")]
    held = plan(RoutingRequest("chat", "", "openai/b"), world)
    assert [(one.model_id, one.reason) for one in held.attempts] == [("b", "conversation")]


def test_an_alias_is_a_step_of_the_trace_and_never_stands_before_a_model() -> None:
    world = facts([model("openai/a"), model("openai/b")], [credential("own")])
    fast = an_alias("fast", "openai/b", "The quick one")
    told = plan(RoutingRequest("chat", "fast"), replace(world, aliases={"fast": fast})).as_json()
    assert told["alias"] == {
        "name": "fast",
        "target": "openai/b",
        "scope": "installation",
        "reason": "The quick one",
        "since": "2026-11-22",
    }
    assert (told["requested"], told["attempts"][0]["model_id"]) == ("fast", "b")
    shadow = an_alias("openai/a", "openai/b")
    told = plan(RoutingRequest("chat", "openai/a"), replace(world, aliases={"openai/a": shadow})).as_json()
    assert ("alias" in told, told["attempts"][0]["model_id"]) == (False, "a")


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
    assert told == plan(RoutingRequest("chat", requested="openai/a"), facts_for(alice)).as_json() | {"limits": []}
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
