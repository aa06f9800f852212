"""Where a request goes, and why not elsewhere; no database."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts import LEVELS, Facts
from catalog.models import Context, LanguageModel
from catalog.routing import Plan, RoutingRequest, plan
from providers.errors import ErrorCode
from providers.resolution import Source
from tests.catalog.worlds import credential, facts, model

CHAT = RoutingRequest("chat")


def verdicts(outcome: Plan) -> list[tuple[str, str]]:
    return [(one["model"], one["verdict"]) for one in outcome.trace["candidates"]]


def test_a_requested_model_goes_out_with_the_nearest_key() -> None:
    outcome = plan(
        RoutingRequest("chat", requested="openai/b"),
        facts([model("openai/a"), model("openai/b")], [credential("workspace"), credential("own")]),
    )
    (attempt,) = outcome.attempts
    assert (attempt.provider_id, attempt.model_id, attempt.credential_ref) == ("openai", "b", "own:openai")
    assert (attempt.reason, outcome.requested, outcome.error) == ("request", "openai/b", None)
    assert [(line["source"], line["verdict"]) for line in outcome.trace["credentials"]] == [
        ("own", "used"),
        ("workspace", "not_needed"),
        ("environment", "absent"),
    ]


@pytest.mark.parametrize(
    ("requested", "over", "error", "verdict"),
    [
        ("openai/unheard-of", {}, ErrorCode.MODEL_NOT_FOUND, "unknown"),
        ("nonsense", {}, ErrorCode.MODEL_NOT_FOUND, "unknown"),
        ("openai/a", {"lifecycle": "vanished"}, ErrorCode.MODEL_NOT_FOUND, "vanished"),
        ("gemini/g", {}, ErrorCode.MISSING_AUTH, "no_credential"),
        ("openai/a", {"sandbox": True}, ErrorCode.MISSING_AUTH, "no_credential"),
    ],
)
@pytest.mark.parametrize("by", ["requested", "sticky"])
def test_a_named_model_that_cannot_answer_is_an_error_and_never_another_model(
    by: str, requested: str, over: dict[str, object], error: ErrorCode, verdict: str
) -> None:
    world = facts([model("openai/a", **over), model("openai/other"), model("gemini/g")], [credential("own")])
    outcome = plan(RoutingRequest("chat", **{by: requested}), world)
    assert outcome.attempts == ()
    assert (outcome.error, outcome.requested) == (error, requested)
    assert verdicts(outcome) == [(requested, verdict)]
    assert outcome.message


def test_a_model_that_vanished_under_a_conversation_is_explained() -> None:
    world = facts([model("openai/a", label="GPT A", lifecycle="vanished")], [credential("own")])
    outcome = plan(RoutingRequest("chat", sticky="openai/a"), world)
    assert outcome.message == "OpenAI no longer lists GPT A. Choose another model to go on."


def test_a_retiring_model_still_answers() -> None:
    world = facts([model("openai/a", lifecycle="retiring")], [credential("own")])
    assert plan(RoutingRequest("chat", requested="openai/a"), world).attempts


def test_what_is_requested_comes_before_what_sticks() -> None:
    world = facts([model("openai/a"), model("openai/b")], [credential("own")])
    outcome = plan(RoutingRequest("chat", requested="openai/a", sticky="openai/b"), world)
    assert [one.model_id for one in outcome.attempts] == ["a"]


@pytest.mark.parametrize(
    ("set_levels", "answers"),
    [
        (("user", "workspace", "installation"), "user"),
        (("workspace", "installation"), "workspace"),
        (("installation",), "installation"),
        ((), "preference"),
    ],
)
def test_defaults_come_from_the_person_then_the_workspace_then_the_installation(
    set_levels: tuple[str, ...], answers: str
) -> None:
    models = [model(f"openai/of-{level}") for level in LEVELS] + [model("openai/gpt-6.2-sol")]
    defaults = {(level, "chat"): f"openai/of-{level}" for level in set_levels}
    (attempt,) = plan(CHAT, facts(models, [credential("own")], defaults)).attempts
    assert attempt.reason == answers
    assert attempt.model_id == ("gpt-6.2-sol" if answers == "preference" else f"of-{answers}")


def test_a_default_that_cannot_answer_gives_way_and_the_trace_says_why() -> None:
    models = [model("gemini/g"), model("openai/gone", lifecycle="vanished"), model("openai/a")]
    defaults = {("user", "chat"): "gemini/g", ("workspace", "chat"): "openai/gone"}
    outcome = plan(CHAT, facts(models, [credential("own")], defaults))
    assert verdicts(outcome) == [("gemini/g", "no_credential"), ("openai/gone", "vanished"), ("openai/a", "chosen")]
    assert outcome.requested == ""


def test_a_default_of_another_context_plays_no_part() -> None:
    models = [model("openai/a"), model("openai/b")]
    outcome = plan(CHAT, facts(models, [credential("own")], {("user", "summary"): "openai/b"}))
    assert outcome.attempts[0].model_id == "a"


def test_a_real_model_is_preferred_to_the_sandbox() -> None:
    models = [model("openai/a", sandbox=True), model("gemini/z")]
    world = facts(models, [credential("sandbox"), credential("own", "gemini")])
    assert plan(CHAT, world).attempts[0].provider_id == "gemini"


def test_with_no_key_at_all_the_message_says_what_to_do() -> None:
    for models in ([], [model("openai/a")]):
        outcome = plan(CHAT, facts(models, []))
        assert outcome.error is ErrorCode.MISSING_AUTH
        assert outcome.message == "No provider is connected yet. Add a key to start."


@pytest.mark.parametrize("supported", [None, False])
def test_an_ability_that_is_needed_must_be_known(supported: bool | None) -> None:
    models = [model("openai/a", supports_vision=supported), model("openai/b", supports_vision=True)]
    world = facts(models, [credential("own")])
    needs = frozenset({"vision"})
    assert plan(RoutingRequest("chat", needs=needs), world).attempts[0].model_id == "b"
    refused = plan(RoutingRequest("chat", requested="openai/a", needs=needs), world)
    assert (refused.error, verdicts(refused)) == (ErrorCode.INVALID_REQUEST, [("openai/a", "lacks_vision")])


def test_a_trace_of_a_large_catalog_stays_small() -> None:
    models = [model(f"gemini/m{number:03}") for number in range(300)] + [model("openai_compatible/last")]
    outcome = plan(CHAT, facts(models, [credential("own", "openai_compatible")]))
    assert len(outcome.trace["candidates"]) == 20
    assert outcome.trace["candidates"][-1] == {
        "model": "openai_compatible/last",
        "why": "preference",
        "verdict": "chosen",
    }
    assert outcome.trace["omitted"] == 281


# ---------------------------------------------------------------- whatever the world looks like
PROVIDERS = ("openai", "gemini", "openai_compatible")
names = st.sampled_from([f"{provider}/{model_id}" for provider in PROVIDERS for model_id in ("a", "b", "gpt-6.2-sol")])
abilities = st.none() | st.booleans()
models = st.builds(
    model,
    names,
    lifecycle=st.sampled_from(LanguageModel.Lifecycle.values),
    sandbox=st.booleans(),
    supports_tools=abilities,
    supports_vision=abilities,
)
sources: st.SearchStrategy[Source] = st.sampled_from(["own", "workspace", "environment", "sandbox"])
descriptors = st.builds(
    credential,
    sources,
    st.sampled_from(PROVIDERS),
    state=st.sampled_from(["unchecked", "working", "refused", "unreachable"]),
    kind=st.sampled_from(["api_key", "session"]),
)
keys = st.tuples(st.sampled_from(LEVELS), st.sampled_from(Context.values))
worlds = st.builds(
    facts,
    st.lists(models, max_size=6),
    st.lists(descriptors, max_size=6, unique_by=lambda one: one.ref),
    st.dictionaries(keys, names, max_size=5),
    st.dictionaries(st.sampled_from(Context.values), st.lists(names, max_size=5, unique=True).map(tuple), max_size=3),
)
requests = st.builds(
    RoutingRequest,
    st.sampled_from(Context.values),
    requested=st.just("") | names | st.text(max_size=8),
    sticky=st.just("") | names,
    needs=st.frozensets(st.sampled_from(["tools", "vision"])),
)


@given(requests, worlds)
def test_a_plan_keeps_its_promises(request: RoutingRequest, world: Facts) -> None:
    outcome = plan(request, world)
    assert bool(outcome.attempts) != (outcome.error is not None)
    assert bool(outcome.message) == (outcome.error is not None)
    named = request.requested or request.sticky
    assert outcome.requested == named
    held = {one.ref: one for one in world.descriptors}
    answering = [f"{attempt.provider_id}/{attempt.model_id}" for attempt in outcome.attempts]
    assert answering[:1] == [named or key for key in answering[:1]]
    assert len(answering) == len(set(answering)) <= 3
    chain = world.fallbacks.get(request.context, ())
    assert answering[1:] == [key for key in chain if key in answering[1:]]
    assert len({world.models[key].sandbox for key in answering}) <= 1
    for attempt, key in zip(outcome.attempts, answering, strict=True):
        assert (attempt.reason == "fallback") == (key in answering[1:])
        chosen, used = world.models[key], held[attempt.credential_ref]
        assert (attempt.credential_source, attempt.credential_hint) == (used.source, used.hint)
        assert chosen.lifecycle != "vanished"
        assert (used.provider_id, used.sandbox, used.kind) == (chosen.provider_id, chosen.sandbox, "api_key")
        assert all(getattr(chosen, f"supports_{need}") is True for need in request.needs)
        nearer = ["own", "workspace", "environment", "sandbox"][: _nearness(used.source)]
        assert not any(
            one.source in nearer
            and (one.provider_id, one.sandbox, one.kind) == (used.provider_id, used.sandbox, used.kind)
            for one in world.descriptors
        )
    said = [one["verdict"] for one in outcome.trace["candidates"]]
    assert said.count("chosen") == len(outcome.attempts)
    assert json.loads(json.dumps(outcome.trace)) == outcome.trace
    assert plan(request, world) == outcome


def _nearness(source: str) -> int:
    return ["own", "workspace", "environment", "sandbox"].index(source)


@given(worlds, st.sampled_from(Context.values))
def test_without_a_name_an_answer_is_found_whenever_there_is_one(world: Facts, context: str) -> None:
    named = [plan(RoutingRequest(context, requested=key), world) for key in world.models]
    anything = any(outcome.attempts for outcome in named)
    assert bool(plan(RoutingRequest(context), world).attempts) == anything
