"""The trace of runs in the console, as alice (owner), bob (member of hers) and charlie (owner of another workspace)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from accounts.policies import Actor
from chat.models import Run
from chat.protocol import failure
from providers.errors import ErrorCode, ProviderError
from tests.chat.engine.rows import make_run
from tests.providers.people import console_client

PLACE = "/admin/chat/run/"
SECRET = "what bob really asked"
TRACE = {
    "context": "chat",
    "candidates": [
        {"model": "openai/gpt-x", "why": "request", "verdict": "chosen"},
        {"model": "mistral/large", "why": "fallback", "verdict": "chosen"},
        {"model": "gemini/g", "why": "fallback", "verdict": "lacks_tools"},
    ],
    "credentials": [
        {"source": "own", "verdict": "used", "ref": "credential:1", "hint": "sk-proj-…4f2a", "kind": "api_key"},
        {"source": "workspace", "verdict": "not_needed"},
    ],
    "attempts": [
        {"step": 1, "state": state, "provider_id": provider, "model_id": model, "credential_source": "own",
         "credential_hint": "sk-proj-…4f2a", "credential_kind": "api_key", "credential_ref": "credential:1",
         "outcome": outcome, "ms": ms}
        for state, provider, model, outcome, ms in (
            ("attempt", "openai", "gpt-x", "rate_limited", 41),
            ("fallback", "mistral", "large", "answered", 1230),
        )
    ],
    "left_out": [{"server": "Wiki", "reason": "It did not answer."}],
}  # fmt: skip

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(bob: Actor) -> Run:
    asked = {"requested_model": "openai/gpt-x", "served_model": "mistral/large", "credential_source": "own"}
    stored: dict[str, Any] = {"input": {"secret": SECRET}, "output": {"secret": SECRET}, "trace": TRACE}
    return make_run(bob, **asked, **stored, credential_hint="sk-proj-…4f2a", state=Run.State.DONE, lease=timedelta())


@pytest.fixture
def console(alice: Actor) -> Client:
    return console_client(alice)


def test_an_administrator_reads_where_a_members_run_went_and_why(console: Client, run: Run) -> None:
    assert run.answer is not None
    run.answer.parts = [{"type": "text", "text": SECRET}]
    run.answer.save()
    page = console.get(f"{PLACE}{run.pk}/change/").content.decode()
    for said in (
        "bob@example.com", "openai/gpt-x", "mistral/large", "own key sk-proj-…4f2a",
        "bob@example.com&#x27;s key ending 4f2a, because it comes first.",
        "rate limited", "answered", "1230 ms", "named by the request", "lacks tools", "Wiki",
    ):  # fmt: skip
        assert said in page, said
    assert SECRET not in page
    assert "Hello" not in page
    assert "{&#x27;" not in page
    assert "{'" not in page


def test_runs_are_listed_and_found_by_any_id_that_a_client_has(console: Client, run: Run, charlie: Actor) -> None:
    foreign = make_run(charlie)
    page = console.get(PLACE).content.decode()
    assert str(run.pk) in page
    assert "own key sk-proj-…4f2a" in page
    assert str(foreign.pk) not in page
    for words in (run.pk, run.stream_id, f"chatcmpl-{run.pk.hex}", f"resp_{run.pk.hex}", "bob@"):
        assert str(run.pk) in console.get(PLACE, {"q": words}).content.decode(), words
    for words in (foreign.pk, "nobody"):
        assert f"{PLACE}{run.pk}" not in console.get(PLACE, {"q": words}).content.decode()
    assert console.get(f"{PLACE}{foreign.pk}/change/").status_code


@pytest.mark.parametrize(
    ("asked", "found"),
    [("provider=mistral", True), ("provider=openai", False), ("source=own", True), ("source=workspace", False),
     ("state__exact=done", True), ("state__exact=failed", False), ("context__exact=chat", True)],
)  # fmt: skip
def test_the_list_is_narrowed_down(console: Client, run: Run, asked: str, found: bool) -> None:
    page = console.get(f"{PLACE}?{asked}").content.decode()
    assert (f"{PLACE}{run.pk}" in page) is found


def test_a_failure_is_told_and_a_run_without_a_trace_too(console: Client, bob: Actor) -> None:
    error = failure(ProviderError(ErrorCode.QUOTA_EXCEEDED, f"No quota for: {SECRET}", provider_id="openai"))
    failed = make_run(bob, state=Run.State.FAILED, error=error)
    page = console.get(f"{PLACE}{failed.pk}/change/").content.decode()
    assert "quota_exceeded" in page
    assert "has no quota left" in page
    assert SECRET not in page, "a vendor may repeat what it was asked"
    assert "No provider was asked." in page
    assert "quota_exceeded" in console.get(PLACE).content.decode()


def test_nobody_writes(console: Client, run: Run) -> None:
    for address in ("add/", f"{run.pk}/delete/"):
        assert console.get(f"{PLACE}{address}").status_code == 403
    assert console.post(f"{PLACE}{run.pk}/change/", {"state": "failed"}).status_code == 403


def test_an_administrator_stops_what_runs_in_their_workspace(console: Client, bob: Actor, charlie: Actor) -> None:
    mine, queued, foreign = make_run(bob), make_run(bob, state=Run.State.QUEUED), make_run(charlie)
    chosen = {"action": "stop", "_selected_action": [str(run.pk) for run in (mine, queued, foreign)]}
    assert console.post(PLACE, chosen).status_code == 302
    for run in (mine, queued, foreign):
        run.refresh_from_db()
    assert mine.stop_requested_at is not None
    assert queued.state == Run.State.STOPPED
    assert foreign.stop_requested_at is None
    assert sorted(AuditEntry.objects.filter(action="console.stop").values_list("data__pk", flat=True)) == sorted(
        [str(mine.pk), str(queued.pk)]
    )
