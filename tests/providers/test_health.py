"""The canonical health: what counts, what is stored when it changes, and who is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.policies import Actor
from providers import credentials, health, renewal, rounds, session_keeping, standing
from providers.health import Heard
from providers.models import Credential, HealthEvent, HealthSample, ProviderHealth
from providers.session_keeping import Given

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
KEY = "sk-live-0123456789abcdef4f2a"


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def check(code: str = "", minutes: float = 0, provider: str = "openai", ms: int = 40) -> None:
    health.record_check(provider, code, ms, now=at(minutes))


def run(actor: Actor, code: str = "", source: str = "environment", minutes: float = 0, ms: int | None = 300) -> None:
    health.record_runs([Heard("openai", actor.workspace_id, source, code, ms)], now=at(minutes))


def state(provider: str = "openai") -> str:
    return ProviderHealth.objects.get(pk=provider).state


def moves() -> list[tuple[str, str, str]]:
    return list(HealthEvent.objects.order_by("at", "pk").values_list("before", "after", "reason"))


# ---------------------------------------------------------------- transitions
def test_each_change_is_stored_once_with_its_reason_and_how_long_it_lasted(db: None) -> None:
    check(minutes=0)
    check(minutes=5)
    for minute in (10, 11, 12, 13):
        check("timeout", minutes=minute)
    check(minutes=30)
    assert moves() == [
        ("unknown", "ok", ""),
        ("ok", "degraded", "timeout"),
        ("degraded", "down", "timeout"),
        ("down", "ok", ""),
    ]
    last = HealthEvent.objects.first()
    assert last is not None
    assert last.lasted == 18 * 60
    row = ProviderHealth.objects.get()
    assert (row.state, row.since, row.last_checked_at, row.latency_ms, row.reason) == ("ok", at(30), at(30), 40, "")


@pytest.mark.django_db(transaction=True)
def test_whoever_listens_is_told_after_the_commit_and_only_of_changes() -> None:
    told = []

    def hear(sender: Any, provider_id: str, state: str, **_: Any) -> None:
        told.append((provider_id, state, ProviderHealth.objects.get(pk=provider_id).state))

    health.changed.connect(hear)
    try:
        for minute in range(3):
            check(minutes=minute)
        check("provider_unavailable", minutes=3)
    finally:
        health.changed.disconnect(hear)
    assert told == [("openai", "ok", "ok"), ("openai", "degraded", "degraded")]


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_lose_nothing_and_store_a_change_once() -> None:
    def write(number: int) -> None:
        try:
            check(ms=number + 1)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(24)))
    sample = HealthSample.objects.get()
    assert (sample.passed, sample.failed, sample.latency_sum_ms, sum(sample.times)) == (24, 0, 300, 24)
    assert moves() == [("unknown", "ok", "")]


def test_hours_are_counted_apart_and_forgotten_after_sixty_days(db: None) -> None:
    check(minutes=0)
    check("timeout", minutes=1)
    check(minutes=60)
    assert list(HealthSample.objects.values_list("passed", "failed")) == [(1, 1), (1, 0)]
    health.purge(at(60) + timedelta(days=60, minutes=-59))
    assert HealthSample.objects.count() == 1
    health.purge(at(60) + timedelta(days=61))
    assert (HealthSample.objects.count(), HealthEvent.objects.count()) == (0, 0)
    assert state() == "ok"


# ---------------------------------------------------------------- what counts
def test_answers_count_as_well_as_checks(alice: Actor) -> None:
    for minute in range(3):
        run(alice, "provider_unavailable", minutes=minute)
    assert state() == "down"
    assert list(HealthSample.objects.values_list("kind", "failed")) == [("run", 3)]


@pytest.mark.parametrize("code", ["invalid_auth", "rate_limited", "content_blocked", "context_too_long", "stopped"])
def test_a_failure_that_is_not_the_provider_s_says_nothing(alice: Actor, code: str) -> None:
    run(alice, code)
    assert not ProviderHealth.objects.exists()


def test_a_personal_key_never_speaks_for_the_provider(alice: Actor, bob: Actor, nobody: str) -> None:
    run(alice, "provider_unavailable", source="own")
    row = credentials.save(alice, provider_id="openai", secret=KEY, shared=False)
    assert rounds.refs("openai") == []
    assert not health.counts(row)
    from providers.checks import check_from_thread

    assert not check_from_thread(f"credential:{row.pk}").ok
    assert not ProviderHealth.objects.exists()
    marks = {person: standing.marks(person)[0] for person in (alice, bob)}
    assert (marks[alice].text, marks[bob].text) == ("Not responding", "Not connected")


def test_a_workspace_s_own_gateway_says_nothing_about_the_provider(alice: Actor, bob: Actor, settings: Any) -> None:
    settings.DEVELOPMENT = True
    credentials.save(alice, provider_id="openai", secret=KEY, shared=True, base_url="http://127.0.0.1:9/v1")
    run(alice, "provider_unavailable", source="workspace")
    assert not ProviderHealth.objects.exists()
    check("timeout")
    Credential.objects.update(state="working")
    assert state() == "down"
    assert standing.marks(bob)[0].text == "Operational"  # their way does not lead there


def test_a_workspace_key_at_the_provider_s_own_address_counts(alice: Actor, nobody: str) -> None:
    row = credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    assert rounds.refs("openai") == [f"credential:{row.pk}"]
    run(alice, "timeout", source="workspace")
    assert state() == "down"


def test_a_workspace_s_refused_key_is_its_own_business(alice: Actor, charlie: Actor, vendors: str) -> None:
    from providers.checks import check_from_thread

    row = credentials.save(alice, provider_id="openai", secret="sk-revoked-0123456789abcdef", shared=True)
    credentials.save(charlie, provider_id="openai", secret=KEY, shared=True)
    check_from_thread(f"credential:{row.pk}")
    assert not ProviderHealth.objects.exists()
    assert standing.marks(alice)[0].text == "Key refused"
    assert standing.marks(charlie)[0].text == "Not checked yet"


def test_the_installation_s_refused_key_is_everybody_s_who_has_no_other(
    alice: Actor, charlie: Actor, settings: Any
) -> None:
    settings.PROVIDER_KEYS = {"openai": KEY}
    credentials.save(charlie, provider_id="openai", secret=KEY, shared=False)
    Credential.objects.update(state="working")
    check("invalid_auth")
    assert (state(), standing.marks(alice)[0].state, standing.marks(charlie)[0].state) == ("expired", "expired", "ok")
    assert not HealthSample.objects.exists()


# ---------------------------------------------------------------- on schedule
def test_one_process_makes_a_check_and_trouble_is_looked_at_sooner(db: None) -> None:
    every, sooner = timedelta(minutes=5), timedelta(minutes=1)
    assert health.claim(["openai"], every, sooner, at(0)) == ["openai"]
    assert health.claim(["openai"], every, sooner, at(0)) == []
    check(minutes=0)
    assert health.claim(["openai"], every, sooner, at(2)) == ["openai"]  # nothing was known: a minute
    assert health.claim(["openai"], every, sooner, at(6)) == []
    assert health.claim(["openai"], every, sooner, at(8)) == ["openai"]


@pytest.mark.anyio
@pytest.mark.django_db(transaction=True)
async def test_a_round_checks_the_sandbox_and_the_next_one_waits(sandbox: str, closing: None) -> None:
    from asgiref.sync import sync_to_async

    checked = await rounds.go_round()
    assert "sandbox:openai" in checked
    assert await sync_to_async(state)() == "ok"
    assert await rounds.go_round() == []


def test_a_pasted_session_that_has_ended_is_not_asked_again(alice: Actor) -> None:
    end = timezone.now() + timedelta(hours=1)
    given = Given("openai", "sk-session-aaaaaaaaaaaaaaaaaaaaaaaa9c1e", shared=True, expires_at=end)
    row = session_keeping.save(alice, given)
    assert rounds.refs("openai") == [f"credential:{row.pk}"]
    renewal.note_ended(end)
    assert rounds.refs("openai") == []
