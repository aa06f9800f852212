"""The console's first page: figures of administered workspaces only, drawn from their rows."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import User, Workspace
from accounts.policies import Actor
from chat.models import Run
from project.figures import figures
from providers import credentials, session_keeping
from providers.models import Credential
from providers.session_keeping import Given
from tests.catalog.worlds import model
from tests.factories import make_actor
from tests.providers.people import console_client

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def ran(
    actor: Actor, state: str = "done", hours: float = 1, *, code: str = "", tries: tuple[str, ...] = ("attempt",)
) -> Run:
    run = Run.objects.create(
        stream_id=uuid.uuid4(),
        branch=uuid.uuid4(),
        workspace_id=actor.workspace_id,
        user_id=actor.user_id,
        state=state,
        error={"code": code} if code else {},
        trace={"attempts": [{"state": one} for one in tries]},
    )
    Run.objects.filter(pk=run.pk).update(created_at=NOW - timedelta(hours=hours))
    return run


def mine(actor: Actor) -> Any:
    return figures(Workspace.objects.filter(pk=actor.workspace_id), NOW)


def test_members_are_active_when_they_asked_something_this_week(alice: Actor, bob: Actor, charlie: Actor) -> None:
    User.objects.filter(pk=make_actor("dora@example.com", Workspace.objects.get(pk=alice.workspace_id)).user_id).update(
        is_active=False
    )
    ran(alice)
    ran(alice)
    ran(bob, hours=8 * 24)
    ran(charlie)
    assert (mine(alice).active, mine(alice).members) == (1, 2)


def test_answers_and_failures_are_those_of_the_last_day(alice: Actor, charlie: Actor) -> None:
    for hours in (0.1, 2, 23, 25):
        ran(alice, hours=hours)
    ran(alice, "failed", code="timeout")
    ran(alice, "stopped")
    ran(charlie)
    found = mine(alice)
    assert (found.answers, found.failed) == (3, 1)
    assert [bar.label for bar in found.bars if not bar.label.endswith(": 0")] == ["13:00: 1", "10:00: 1", "12:00: 1"]
    assert (found.bars[0].label, found.bars[-1].label, found.most) == ("13:00: 1", "12:00: 1", 1)


def test_a_run_that_fell_back_counts_once_and_one_that_was_retried_does_not(alice: Actor) -> None:
    ran(alice, tries=("attempt", "retry", "retry"))
    ran(alice, tries=("attempt", "retry", "retry", "fallback", "fallback"))
    ran(alice, tries=("attempt", "fallback"))
    ran(alice, tries=("attempt", "fallback"), hours=30)
    assert mine(alice).fallbacks == 2


@pytest.mark.parametrize(
    ("over", "count"),
    [
        ({"state": "working"}, 0),
        ({"state": "unreachable"}, 0),
        ({"state": "expired"}, 1),
        ({"state": "malformed"}, 1),
        ({"expires_at": NOW}, 1),
        ({"expires_at": NOW + timedelta(seconds=1)}, 0),
        ({"expires_at": NOW, "method": "workload_identity"}, 0),
    ],
)
def test_sessions_that_have_ended_are_to_be_renewed(alice: Actor, over: dict[str, Any], count: int) -> None:
    session_keeping.save(alice, Given("openai", "sk-session-aaaaaaaaaaaaaaaaaaaaaaaa9c1e", shared=True))
    session_keeping.save(alice, Given("anthropic", "sk-session-aaaaaaaaaaaaaaaaaaaaaaaa9c1e"))
    Credential.objects.update(**over)
    assert mine(alice).renew == count


def test_only_refused_keys_of_the_workspace_are_to_be_renewed(alice: Actor, bob: Actor, charlie: Actor) -> None:
    for actor, shared in ((alice, True), (bob, False), (charlie, True)):
        credentials.save(actor, provider_id="openai", secret="sk-live-0123456789abcdef4f2a", shared=shared)
    assert mine(alice).renew == 0
    Credential.objects.update(state="refused")
    assert mine(alice).renew == 1


def test_errors_are_counted_by_code_the_most_frequent_first(alice: Actor, charlie: Actor) -> None:
    for code in ("timeout", "rate_limited", "rate_limited"):
        ran(alice, "failed", hours=100, code=code)
    ran(alice, "interrupted", code="interrupted")
    ran(alice, "failed")
    ran(alice, "failed", hours=8 * 24, code="timeout")
    ran(charlie, "failed", code="quota_exceeded")
    assert [(one.code, one.count, one.width) for one in mine(alice).codes] == [
        ("rate_limited", 2, 300),
        ("interrupted", 1, 150),
        ("timeout", 1, 150),
        ("unknown", 1, 150),
    ]


def test_an_empty_installation_is_described_in_words(alice: Actor) -> None:
    page = console_client(alice).get("/admin/").content.decode()
    assert "Nobody was answered in the last 24 hours." in page
    assert "No answer failed in the last 7 days." in page
    assert "every checked credential is accepted" in page
    assert "Nobody here has a key for it." in page


def test_the_page_shows_the_figures_of_administered_workspaces(alice: Actor, charlie: Actor) -> None:
    for _ in range(3):
        Run.objects.filter(pk=ran(alice, "failed", code="timeout").pk).update(created_at=datetime.now(UTC))
    page = console_client(charlie).get("/admin/").content.decode()
    assert "No answer failed in the last 7 days." in page
    page = console_client(alice).get("/admin/").content.decode()
    assert "in the last 24 hours, 3 failed" in page
    assert "<code>timeout</code>" in page
    part = console_client(alice).get("/admin/?part=1").content.decode()
    assert 'data-provider-health="openai"' in part
    assert "Active members" not in part


def test_the_page_of_one_part_lists_its_pages_and_no_figures(alice: Actor) -> None:
    page = console_client(alice).get("/admin/catalog/").text
    assert "Language models" in page
    assert "Active members" not in page


def test_a_model_shows_its_facts_to_who_may_not_change_them(alice: Actor) -> None:
    row = model("anthropic/haiku", context_window=200_000)
    row.save()
    page = console_client(alice).get(f"/admin/catalog/languagemodel/{row.pk}/change/").text
    assert "200000" in page
    assert "New price from" not in page
