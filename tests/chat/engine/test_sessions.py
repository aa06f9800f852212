"""Stories of runs whose session ends in mid-conversation: it is renewed once, else the table decides, and the message
is not lost."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from accounts.policies import Actor
from catalog.models import LanguageModel
from chat import runs
from chat.audit_streams import faults
from chat.database import in_db
from chat.models import Message, Run
from chat.protocol import Command, Entry
from chat.render.names import by_of, moves_of
from providers import credentials, renewal, session_keeping
from providers.models import Credential
from providers.preferences import CredentialPolicy
from providers.session_keeping import Given
from tests.chat.engine.rows import read_all
from tests.faults.servers import Sandbox
from tests.providers.people import api_client, page_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running")]

OPENAI = "openai/gpt-sandbox"
# What the sandbox takes, and what it calls a token that has ended.
GOOD, ENDED, KEY = (
    "sandbox-token-aaaaaaaaaaaaaaaa",
    "sandbox-expired-bbbbbbbbbbbbbbbb",
    "sandbox-key-cccccccccccccc4f2a",
)


def ended(actor: Actor, text: str = "Hello", **more: Any) -> tuple[Run, list[Entry]]:
    run = runs.start(actor, Command(text=text, model=OPENAI, **more))
    entries = async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    assert list(faults()) == []
    return run, entries


def session(actor: Actor, token: str, **over: Any) -> Credential:
    return session_keeping.save(actor, Given("openai", token, **over))


def key(actor: Actor, **over: Any) -> Credential:
    return credentials.save(actor, provider_id="openai", secret=KEY, shared=False, **over)


def states(entries: list[Entry]) -> list[str]:
    return [entry.data["state"] for entry in entries if entry.event_type == "status"]


def outcomes(run: Run) -> list[tuple[str, str, str]]:
    return [(one["state"], one["credential_kind"], one["outcome"]) for one in run.trace["attempts"]]


def test_a_session_that_works_answers(alice: Actor) -> None:
    key(alice)
    session(alice, GOOD)
    run, entries = ended(alice)
    assert (run.state, outcomes(run)) == (Run.State.DONE, [("attempt", "session", "answered")])
    assert entries[0].data["kind"] == "session"
    assert by_of(run, {}).credential.startswith("your session")


def test_where_a_key_may_stand_in_the_run_goes_on_and_says_so(alice: Actor) -> None:
    row = key(alice)
    lost = session(alice, ENDED, fallback_allowed=True)
    run, entries = ended(alice)
    assert run.state == Run.State.DONE
    assert outcomes(run) == [
        ("attempt", "session", "session_expired"),
        ("renewal", "session", "session_expired"),
        ("fallback", "api_key", "answered"),
    ]
    assert states(entries)[:3] == ["started", "renewal", "fallback"]
    said = next(entry.data for entry in entries if entry.data.get("state") == "fallback")
    assert (said["reason"], said["hint"], said["backup"]) == ("session_expired", row.hint, True)
    assert (run.credential_source, run.credential_hint) == ("own", row.hint)
    [(_, reason, by)] = moves_of(run, {})
    assert (reason, by.credential) == ("session_expired", f"your key {row.hint}")
    lost.refresh_from_db()
    assert (lost.state, lost.error_code) == ("expired", "session_expired")
    page = page_client(alice).get(f"/c/{run.conversation_id}/").content.decode()
    assert "The session has expired, so your key" in page


def test_the_next_run_knows_it_before_it_asks(alice: Actor) -> None:
    key(alice)
    session(alice, ENDED, fallback_allowed=True)
    ended(alice)
    run, entries = ended(alice)
    assert outcomes(run) == [("attempt", "api_key", "answered")]
    assert states(entries)[:2] == ["started", "fallback"]
    used = next(line for line in run.trace["credentials"] if line["verdict"] == "used")
    assert (used["fallback_applied"], used["reason"]) == (True, "session_expired")
    assert "the session has expired and a key may stand in" in by_of(run, {}).why[0]
    page = page_client(alice).get(f"/c/{run.conversation_id}/").content.decode()
    assert "because the session has expired" in page


def test_where_none_may_the_message_is_kept_beside_the_way_to_fix_it(alice: Actor) -> None:
    key(alice)
    session(alice, ENDED)
    run, _ = ended(alice, "Remember me")
    assert (run.state, run.error["code"], run.error["action"]) == ("failed", "session_expired", "renew_session")
    assert Message.objects.filter(role="user", conversation=run.conversation).get().text == "Remember me"
    page = page_client(alice).get(f"/c/{run.conversation_id}/").content.decode()
    assert "Your OpenAI session has expired" in page
    assert 'href="/settings/providers/#p-openai"' in page


def test_an_ended_session_is_not_sent_again(alice: Actor, running: Sandbox) -> None:
    key(alice)
    session(alice, ENDED)
    ended(alice)
    before = len(running.requests())
    run, _ = ended(alice)
    assert (run.error["code"], len(running.requests())) == ("session_expired", before)
    # Renewed, the same message can be sent: nothing of it was lost.
    session(alice, GOOD)
    run, _ = ended(alice)
    assert run.state == Run.State.DONE


def test_what_follows_a_call_stays_with_the_key_that_stood_in(alice: Actor, running: Sandbox) -> None:
    LanguageModel.objects.update(supports_tools=True)
    row = key(alice)
    session(alice, ENDED, fallback_allowed=True)
    run, _ = ended(alice, 'Use the clock for "Europe/Oslo"')
    assert run.state == Run.State.DONE
    steps = [(one["step"], one["credential_kind"]) for one in run.trace["attempts"]]
    assert steps == [(1, "session"), (1, "session"), (1, "api_key"), (2, "api_key")]
    assert run.trace["attempts"][-1]["credential_ref"] == f"credential:{row.pk}"


def test_a_token_that_was_pasted_meanwhile_is_the_renewal(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the refusal and the renewal its owner enters another."""
    session(alice, ENDED)
    real = renewal.arenew

    async def pasted_first(refused: Any) -> Any:
        await in_db(session, alice, GOOD)
        return await real(refused)

    monkeypatch.setattr("chat.execution.arenew", pasted_first)
    run, _ = ended(alice)
    assert outcomes(run) == [("attempt", "session", "session_expired"), ("renewal", "session", "answered")]


# ---------------------------------------------------------------- named by the request
def named(actor: Actor, **body: Any) -> Any:
    sent = {"context": "chat", "input": "Hello", "model": OPENAI, **body}
    client = api_client(actor, ("chat", "models", "credentials"))
    return client.post("/api/v1/runs/", json.dumps(sent), content_type="application/json")


def test_a_request_names_a_credential_only_where_the_workspace_allows_it(alice: Actor, bob: Actor) -> None:
    shared = credentials.save(alice, provider_id="openai", secret=GOOD, shared=True)
    key(bob)
    answer = named(bob, credential=str(shared.pk))
    assert (answer.status_code, answer.json()["code"]) == (403, "policy_denied")
    CredentialPolicy.objects.create(workspace_id=alice.workspace_id, references=True)
    answer = named(bob, credential=str(shared.pk))
    assert answer.status_code == 202
    run = Run.objects.get(pk=answer.json()["id"])
    async_to_sync(read_all)(run.stream_id)
    run.refresh_from_db()
    assert (run.state, run.credential_source, run.credential_hint) == ("done", "workspace", shared.hint)
    assert by_of(run, {}).why[0].endswith("because the request names it.")


def test_nobody_names_what_they_may_not_use(alice: Actor, bob: Actor, charlie: Actor) -> None:
    for actor in (bob, charlie):
        CredentialPolicy.objects.update_or_create(workspace_id=actor.workspace_id, defaults={"references": True})
    mine = key(alice)
    foreign, missing = named(bob, credential=str(mine.pk)), named(bob, credential=str(alice.user_id))
    outside = named(charlie, credential=str(mine.pk))
    assert {one.status_code for one in (foreign, missing, outside)} == {404}
    assert foreign.content == missing.content == outside.content
    assert not Run.objects.exists()


def test_a_named_credential_fits_the_named_model(alice: Actor) -> None:
    CredentialPolicy.objects.create(workspace_id=alice.workspace_id, references=True)
    row = key(alice)
    for model in ("", "gemini/gemini-sandbox-flash"):
        answer = named(alice, credential=str(row.pk), model=model)
        assert (answer.status_code, answer.json()["code"]) == (422, "credential_elsewhere")


def test_the_explanation_of_a_named_credential_is_what_a_run_does(alice: Actor, running: Sandbox) -> None:
    CredentialPolicy.objects.create(workspace_id=alice.workspace_id, references=True)
    key(alice)
    shared = credentials.save(alice, provider_id="openai", secret=GOOD, shared=True)
    client = api_client(alice)
    body = {"model": OPENAI, "credential": str(shared.pk)}
    told = client.post("/api/v1/routing/explain/", json.dumps(body), content_type="application/json").json()
    assert told["attempts"][0]["credential_ref"] == f"credential:{shared.pk}"
    assert told["because"] == f"The workspace's key ending {shared.hint[-4:]}, because the request names it."
    run, _ = ended(alice, credential=str(shared.pk))
    assert run.trace["credentials"][0]["ref"] == f"credential:{shared.pk}"
