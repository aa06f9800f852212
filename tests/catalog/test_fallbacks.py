"""The workspace's fallback chain: off unless somebody turned it on, judged like everything else, and visible."""

from typing import Any

import pytest

from accounts.policies import Actor
from catalog import snapshot
from catalog.facts import Facts, facts_for
from catalog.models import FallbackStep, LanguageModel
from catalog.routing import Plan, RoutingRequest, plan
from catalog.snapshot import LONGEST_CHAIN
from tests.catalog.worlds import credential, facts, model, store
from tests.providers.people import console_client

CHAT = RoutingRequest("chat")
STEPS = "/admin/catalog/fallbackstep/"
EVERYWHERE = [credential("own"), credential("workspace", "gemini"), credential("environment", "openai_compatible")]


def world(*chain: str, context: str = "chat", **over: Any) -> Facts:
    models = [model("openai/a"), model("openai/b"), model("gemini/g"), model("openai_compatible/c"), model("mistral/m")]
    models += [model("gemini/gone", lifecycle="vanished"), model("gemini/sandbox", sandbox=True)]
    held = [*EVERYWHERE, credential("sandbox", "gemini")]
    return facts(models, held, over.get("defaults"), {context: chain})


def answering(outcome: Plan) -> list[tuple[str, str]]:
    return [(f"{one.provider_id}/{one.model_id}", one.credential_source) for one in outcome.attempts]


def verdicts(outcome: Plan) -> dict[str, str]:
    return {one["model"]: one["verdict"] for one in outcome.trace["candidates"] if one["why"] == "fallback"}


def test_the_named_model_is_first_and_each_step_takes_the_key_that_resolution_gives() -> None:
    outcome = plan(RoutingRequest("chat", requested="openai/a"), world("gemini/g", "openai_compatible/c"))
    assert answering(outcome) == [
        ("openai/a", "own"),
        ("gemini/g", "workspace"),
        ("openai_compatible/c", "environment"),
    ]
    assert [one.reason for one in outcome.attempts] == ["request", "fallback", "fallback"]
    assert outcome.trace["credentials"][0]["source"] == "own"


def test_a_default_is_followed_by_the_chain_of_its_context_only() -> None:
    defaults = {("user", "chat"): "openai/b"}
    assert answering(plan(CHAT, world("gemini/g", defaults=defaults)))[0] == ("openai/b", "own")
    assert len(plan(CHAT, world("gemini/g", context="summary")).attempts) == 1


def test_a_named_model_that_cannot_answer_is_not_replaced_by_the_chain() -> None:
    for key in ("openai/unheard-of", "gemini/gone", "mistral/m"):
        assert plan(RoutingRequest("chat", requested=key), world("openai/a")).attempts == ()


def test_every_step_that_is_left_out_says_why() -> None:
    chain = ("gemini/gone", "mistral/m", "openai/a", "gemini/sandbox", "nobody/x", "gemini/g", "openai/b")
    outcome = plan(RoutingRequest("chat", requested="openai/a"), world(*chain, "openai_compatible/c"))
    assert verdicts(outcome) == {
        "gemini/gone": "vanished",
        "mistral/m": "no_credential",
        "openai/a": "repeated",
        "gemini/sandbox": "other_side",
        "nobody/x": "unknown",
        "gemini/g": "chosen",
        "openai/b": "chosen",
        "openai_compatible/c": "not_needed",
    }
    assert len(outcome.attempts) == 3


def test_what_the_request_needs_a_fallback_must_be_known_to_do() -> None:
    models = [model("openai/a", supports_vision=True), model("openai/b"), model("openai/c", supports_vision=True)]
    seeing = facts(models, [credential("own")], None, {"chat": ("openai/b", "openai/c")})
    outcome = plan(RoutingRequest("chat", requested="openai/a", needs=frozenset({"vision"})), seeing)
    assert [key for key, _ in answering(outcome)] == ["openai/a", "openai/c"]
    assert verdicts(outcome)["openai/b"] == "lacks_vision"


# ---------------------------------------------------------------- rows
@pytest.fixture
def catalog(db: None) -> dict[str, LanguageModel]:
    store(model("openai/a"), model("gemini/g"), model("openai/hidden", shared=False))
    return {row.key: row for row in LanguageModel.objects.all()}


def step(actor: Actor, row: LanguageModel, order: int, **over: Any) -> FallbackStep:
    return FallbackStep.objects.create(workspace_id=actor.workspace_id, context="chat", order=order, model=row, **over)


def test_without_rows_nothing_falls_back(alice: Actor, catalog: dict[str, LanguageModel]) -> None:
    assert facts_for(alice).fallbacks == {}


def test_the_chain_of_one_s_own_workspace_is_read_in_order_without_what_is_off(
    alice: Actor, bob: Actor, charlie: Actor, catalog: dict[str, LanguageModel], django_assert_num_queries: Any
) -> None:
    snapshot.current()
    step(alice, catalog["gemini/g"], 2)
    step(alice, catalog["openai/a"], 1)
    step(charlie, catalog["openai/a"], 1)
    off = step(alice, catalog["openai/hidden"], 3, enabled=False)
    with django_assert_num_queries(4):
        assert facts_for(bob).fallbacks == {"chat": ("openai/a", "gemini/g")}
    assert facts_for(charlie).fallbacks == {"chat": ("openai/a",)}
    FallbackStep.objects.exclude(pk=off.pk).delete()
    assert facts_for(alice).fallbacks == {}


def test_a_very_long_chain_is_cut(alice: Actor) -> None:
    store(*(model(f"openai/m{number:02}") for number in range(30)))
    for order, row in enumerate(LanguageModel.objects.order_by("model_id")):
        step(alice, row, order)
    assert len(facts_for(alice).fallbacks["chat"]) == LONGEST_CHAIN


def test_an_administrator_keeps_the_chain_of_their_workspace_in_the_console(
    alice: Actor, bob: Actor, charlie: Actor, catalog: dict[str, LanguageModel]
) -> None:
    def order(actor: Actor, key: str) -> dict[str, str]:
        row = {"workspace": actor.workspace_id, "context": "chat", "order": 1, "model": catalog[key].pk}
        return {name: str(value) for name, value in row.items()} | {"enabled": "on"}

    client = console_client(alice)
    for forged in (order(charlie, "gemini/g"), order(alice, "openai/hidden")):
        assert client.post(f"{STEPS}add/", forged).status_code == 200
    assert not FallbackStep.objects.exists()
    assert client.post(f"{STEPS}add/", order(alice, "gemini/g")).status_code == 302
    assert facts_for(bob).fallbacks == {"chat": ("gemini/g",)}
    row = FallbackStep.objects.get()
    assert client.get(STEPS).status_code == 200
    assert client.post(f"{STEPS}{row.pk}/change/", order(alice, "gemini/g") | {"enabled": ""}).status_code == 302
    assert facts_for(bob).fallbacks == {}
    for actor, status in ((bob, {302, 403}), (charlie, {302, 404})):
        assert console_client(actor).post(f"{STEPS}{row.pk}/delete/", {"post": "yes"}).status_code in status
    assert FallbackStep.objects.exists()
