"""Limits at the start of a run: who is held to what, how much is reserved, what is told, and that nobody slips through
when many start at once."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from accounts.policies import Actor
from accounts.problems import Problem
from catalog.limits import begun, ends
from catalog.models import Limit
from chat import runs, structured
from chat.ledger import Closing, commit
from chat.ledger import Slice as Piece
from chat.limits import near, standings
from chat.models import Conversation, Run, UsageEntry
from chat.protocol import Command
from providers import credentials
from tests.catalog.worlds import model, store

KEY = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"
COUNTED = {"input_tokens": 300, "output_tokens": 200}


@pytest.fixture
def catalog(alice: Actor) -> None:
    store(model("openai/big"), model("openai/small"))
    credentials.save(alice, provider_id="openai", secret=KEY, shared=True)


def limit(actor: Actor, **over: Any) -> Limit:
    return Limit.objects.create(workspace_id=actor.workspace_id, **({"period": "day"} | over))


def ask(actor: Actor, key: str = "openai/big", text: str = "Hello") -> Run:
    return runs.start(actor, Command(text=text, model=key))


def refused(actor: Actor, key: str = "openai/big") -> Problem:
    with pytest.raises(Problem) as caught:
        ask(actor, key)
    assert (caught.value.status, caught.value.code) == (429, "limit_reached")
    return caught.value


def end(run: Run, usage: dict[str, int], *, called: bool = True, heard: bool = True, key: str = "openai/big") -> None:
    """Close a run as its writer does; `heard` is whether any content came."""
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_owner="here")
    row = {
        "usage": usage,
        "trace": {"attempts": [{"outcome": "answered"}] if called else []},
        "served_model": key,
        "credential_source": "workspace",
        "first_content_at": datetime.now(UTC) if called and heard else None,
    }
    closing = Closing("done", {}, Run.State.DONE, [], run=row)
    commit([Piece(run.pk, run.stream_id, (), closing)], "here")


# ---------------------------------------------------------------- when counting begins anew
@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("hour", datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        ("day", datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        ("month", datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_period_is_the_clock_s(period: str, since: datetime, until: datetime) -> None:
    now = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert (begun(period, now), ends(period, now)) == (since, until)


# ---------------------------------------------------------------- requests
@pytest.mark.usefixtures("catalog")
def test_beyond_the_hard_limit_nothing_starts_and_nothing_is_stored(alice: Actor) -> None:
    limit(alice, hard=2)
    for _ in range(2):
        ask(alice)
    before = Conversation.objects.count(), Run.objects.count(), UsageEntry.objects.count()
    problem = refused(alice)
    assert problem.extra["limit"]["used"] == 2
    assert 0 < problem.extra["retry_after"] <= 86_400
    assert "2 requests a day" in problem.title
    assert "begins anew" in problem.detail
    assert (Conversation.objects.count(), Run.objects.count(), UsageEntry.objects.count()) == before


@pytest.mark.usefixtures("catalog")
def test_each_member_has_it_for_themselves_and_other_workspaces_know_nothing_of_it(
    alice: Actor, bob: Actor, charlie: Actor
) -> None:
    limit(alice, hard=1)
    ask(alice)
    refused(alice)
    ask(bob)
    refused(bob)
    for _ in range(3):
        ask(charlie, "")


@pytest.mark.usefixtures("catalog")
def test_one_for_a_member_and_a_model_leaves_the_others_alone(alice: Actor, bob: Actor) -> None:
    limit(alice, hard=1, user=User.objects.get(pk=bob.user_id), model_pattern="b*")
    ask(bob, "openai/small")
    ask(bob)
    assert "Choose another model" in refused(bob).detail
    ask(bob, "openai/small")
    for _ in range(2):
        ask(alice)


@pytest.mark.usefixtures("catalog")
def test_what_was_used_before_the_limit_was_made_counts(alice: Actor) -> None:
    ask(alice)
    limit(alice, hard=1)
    refused(alice)


@pytest.mark.usefixtures("catalog")
def test_deleting_the_conversation_gives_nothing_back(alice: Actor) -> None:
    limit(alice, hard=1)
    run = ask(alice)
    end(run, COUNTED)
    Conversation.objects.all().delete()
    refused(alice)


@pytest.mark.usefixtures("catalog")
def test_a_run_that_reached_nobody_does_not_count(alice: Actor) -> None:
    limit(alice, hard=1)
    end(ask(alice), {}, called=False)
    ask(alice)
    runs.stop(alice, Run.objects.get(state=Run.State.QUEUED).stream_id)
    ask(alice)


@pytest.mark.usefixtures("catalog")
def test_the_same_key_is_one_request(alice: Actor) -> None:
    limit(alice, hard=1)
    command = Command(text="Hello", model="openai/big", idempotency_key="once")
    assert runs.start(alice, command).pk == runs.start(alice, command).pk


@pytest.mark.usefixtures("catalog")
def test_a_value_counts_as_an_answer_does(alice: Actor) -> None:
    limit(alice, hard=1)
    asking = structured.Asking([("user", "Ada, 36")], {"type": "object"}, model="openai/big")
    structured.start(alice, asking)
    with pytest.raises(Problem, match="limit_reached"):
        structured.start(alice, asking)


# ---------------------------------------------------------------- tokens
@pytest.mark.usefixtures("catalog")
def test_tokens_are_reserved_and_then_counted(alice: Actor) -> None:
    limit(alice, measure="tokens", hard=2_600)
    first, _ = ask(alice), ask(alice)
    reserved = standings(alice)[0].used
    assert 2_000 < reserved <= 2_600
    refused(alice)
    end(first, COUNTED)
    assert standings(alice)[0].used == reserved // 2 + 500
    ask(alice)
    refused(alice)


@pytest.mark.usefixtures("catalog")
def test_what_nobody_counted_stays_as_it_was_guessed(alice: Actor) -> None:
    limit(alice, measure="tokens", hard=5_000)
    run = ask(alice)
    guessed = standings(alice)[0].used
    end(run, {})
    assert standings(alice)[0].used == guessed


@pytest.mark.usefixtures("catalog")
def test_a_request_that_is_larger_than_the_limit_has_it_for_itself(alice: Actor) -> None:
    limit(alice, measure="tokens", hard=100)
    ask(alice)
    refused(alice)


# ---------------------------------------------------------------- told before
@pytest.mark.usefixtures("catalog")
def test_a_soft_limit_is_told_and_refuses_nothing(alice: Actor) -> None:
    limit(alice, soft=2, period="hour")
    ask(alice)
    assert near(alice, "openai/big") == []
    ask(alice)
    (told,) = near(alice, "openai/big")
    assert (told.used, told.left) == (2, None)
    ask(alice)


@pytest.mark.usefixtures("catalog")
def test_the_last_fifth_of_a_hard_limit_is_told(alice: Actor) -> None:
    limit(alice, hard=5, provider_id="openai")
    for _ in range(4):
        assert near(alice, "openai/big") == []
        ask(alice)
    (told,) = near(alice, "openai/big")
    assert told.words.startswith("1 of 5 requests of openai left today.")
    assert near(alice, "gemini/other") == []


@pytest.mark.usefixtures("catalog")
def test_without_limits_a_page_asks_only_whether_there_are_any(alice: Actor, django_assert_num_queries: Any) -> None:
    ask(alice)
    with django_assert_num_queries(1):
        assert standings(alice) == []
    limit(alice, hard=5)
    limit(alice, measure="tokens", period="month", hard=5_000)
    standings(alice)
    with django_assert_num_queries(2):
        assert len(standings(alice)) == 2


# ---------------------------------------------------------------- all at once
def at_once(number: int, work: Callable[[], None]) -> None:
    gate = threading.Barrier(number)

    def go() -> None:
        try:
            gate.wait(30)
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


@pytest.mark.django_db(transaction=True)
# Fifty connections are half of what PostgreSQL grants: two workers must not ask for them at once.
@pytest.mark.xdist_group("fifty connections")
@pytest.mark.parametrize(("measure", "hard", "admitted"), [("requests", 7, 7), ("tokens", 7_100, 7)])
@pytest.mark.usefixtures("catalog")
def test_fifty_starts_at_once_admit_no_more_than_there_is_room_for(
    alice: Actor, measure: str, hard: int, admitted: int
) -> None:
    limit(alice, measure=measure, hard=hard)
    told: list[str] = []

    def start() -> None:
        try:
            ask(alice)
        except Problem as problem:
            told.append(problem.code)
        else:
            told.append("admitted")

    at_once(50, start)
    assert (told.count("admitted"), told.count("limit_reached"), len(told)) == (admitted, 50 - admitted, 50)
    assert Run.objects.count() == UsageEntry.objects.count() == admitted
