"""Sessions at the doors: the page, the API and the console, as alice (owner), bob (member) and charlie (outsider)."""

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.policies import Actor
from providers import checks, credentials, health, session_keeping, standing
from providers.health import Heard
from providers.models import Credential, ProviderHealth
from providers.preferences import AuthMode
from providers.runtime import guard
from providers.session_keeping import Given
from tests.providers.people import api_client, console_client, page_client

pytestmark = pytest.mark.django_db

PAGE, KEEP = "/settings/providers/", "/settings/providers/openai/session/"
API, MODE = "/api/v1/credentials/sessions/", "/api/v1/credentials/modes/openai/"
TOKEN = "sk-session-aaaaaaaaaaaaaaaaaaaaaaaa9c1e"
ENDED = "sk-expired-aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
KEY = "sk-canary-aaaaaaaaaaaaaaaaaaaaaaaa4f2a"


def send(client: Client, **body: Any) -> Any:
    return client.post(API, json.dumps(body), content_type="application/json")


def put(client: Client, **body: Any) -> Any:
    return client.put(MODE, json.dumps(body), content_type="application/json")


def text_of(response: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


# ---------------------------------------------------------------- the API
def test_a_session_is_kept_checked_preferred_and_never_shown(alice: Actor, vendors: str) -> None:
    end = (timezone.now() + timedelta(hours=2)).replace(microsecond=0)
    answer = send(
        api_client(alice), provider_id="openai", secret=TOKEN, expires_at=end.isoformat(), account="Team gateway"
    )
    body = answer.json()
    assert answer.status_code == 201
    assert (body["kind"], body["method"], body["state"], body["mode"]) == ("session", "bearer", "working", "session")
    assert (body["account"], body["hint"], body["fallback_allowed"]) == ("Team gateway", "sk-…9c1e", False)
    assert body["expires_at"] == end.isoformat().replace("+00:00", "Z")
    assert TOKEN not in answer.content.decode()
    written = AuditEntry.objects.filter(action__startswith="credential.").values_list("action", flat=True)
    assert list(written.order_by("pk")) == ["credential.stored", "credential.mode_set"]
    assert TOKEN not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("prefix", ["sk-ant-oat01-", "sk-ant-ort01-"])
def test_a_claude_subscription_s_token_is_refused_with_the_reason(alice: Actor, prefix: str) -> None:
    token = prefix + "a" * 40
    answer = send(api_client(alice), provider_id="anthropic", secret=token)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_secret")
    assert "terms forbid" in answer.json()["title"]
    assert token not in answer.content.decode()
    page = page_client(alice).post("/settings/providers/anthropic/session/", {"secret": token})
    assert page.status_code == 422
    assert "terms forbid" in text_of(page)
    assert not Credential.objects.exists()


@pytest.mark.usefixtures("exchanging")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"provider_id": "gemini", "secret": TOKEN}, "provider_id"),
        ({"provider_id": "openai", "secret": ""}, "secret"),
        ({"provider_id": "openai", "secret": "x" * 9000}, "secret"),
        ({"provider_id": "openai", "secret": TOKEN, "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"provider_id": "openai", "secret": TOKEN, "base_url": "https://gateway.example.com"}, "base_url"),
        ({"provider_id": "openai", "secret": TOKEN, "method": "workload_identity"}, "shared"),
        ({"provider_id": "openai", "secret": TOKEN, "method": "workload_identity", "shared": True}, "exchange"),
    ],
)
def test_what_is_no_session_is_refused_by_its_field(alice: Actor, body: dict[str, Any], field: str) -> None:
    answer = send(api_client(alice), **body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert not Credential.objects.exists()


@pytest.mark.usefixtures("exchanging")
def test_the_installation_s_own_token_goes_to_the_vendor_only(alice: Actor, settings: Any, tmp_path: Any) -> None:
    fields = {"identity_provider_id": "idp", "service_account_id": "sa"}
    asked = {"provider_id": "openai", "secret": "", "method": "workload_identity", "shared": True, "exchange": fields}
    client = api_client(alice)
    assert send(client, **asked).json()["field"] == "secret"  # the operator named no file
    (tmp_path / "token").write_text("eyJ.own.token")
    settings.WORKLOAD_IDENTITY_TOKEN_FILE = str(tmp_path / "token")
    away = {**asked, "exchange": {**fields, "endpoint": "https://elsewhere.example.com/token"}}
    assert send(client, **away).json()["field"] == "exchange"
    assert send(client, **asked, base_url="https://elsewhere.example.com").json()["field"] == "exchange"
    assert not Credential.objects.exists()


def test_a_member_keeps_and_prefers_for_themselves_only(alice: Actor, bob: Actor) -> None:
    client = api_client(bob)
    assert send(client, provider_id="openai", secret=TOKEN, shared=True).status_code == 403
    assert put(client, mode="session", shared=True).status_code == 403
    assert put(client, mode="session", fallback_allowed=True).status_code == 204
    assert [(one.user_id, one.mode) for one in AuthMode.objects.all()] == [(bob.user_id, "session")]


def test_a_preference_is_set_and_read_back(alice: Actor) -> None:
    credentials.save(alice, provider_id="openai", secret=KEY, shared=False)
    session_keeping.save(alice, Given("openai", TOKEN))
    client = api_client(alice)
    put(client, mode="api_key", fallback_allowed=True)
    listed = client.get("/api/v1/credentials/").json()["results"]
    assert {(one["kind"], one["mode"], one["fallback_allowed"]) for one in listed} == {
        ("api_key", "api_key", True),
        ("session", "api_key", True),
    }


def test_one_owner_s_preference_is_not_another_s(alice: Actor, bob: Actor) -> None:
    for actor in (alice, bob):
        credentials.save(actor, provider_id="openai", secret=KEY, shared=False)
    credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    session_keeping.prefer(bob, provider_id="openai", mode="session", fallback_allowed=True, shared=False)
    mine = {one.source: one.mode for one in credentials.descriptors(alice) if one.ref.startswith("credential")}
    his = {one.source: one.mode for one in credentials.descriptors(bob) if one.ref.startswith("credential")}
    assert (mine, his) == (
        {"own": "api_key", "workspace": "api_key"},
        {"own": "session", "workspace": "api_key"},
    )


def test_choosing_still_costs_one_query(alice: Actor, django_assert_num_queries: Any) -> None:
    session_keeping.save(alice, Given("openai", TOKEN))
    with django_assert_num_queries(1):
        credentials.descriptors(alice)


def test_removing_a_session_prefers_keys_again(alice: Actor) -> None:
    row = session_keeping.save(alice, Given("openai", TOKEN))
    credentials.remove(alice, row.pk)
    assert not AuthMode.objects.exists()


def test_health_says_through_which_credential_and_until_when(alice: Actor) -> None:
    end = timezone.now() + timedelta(hours=1)
    session_keeping.save(alice, Given("openai", TOKEN, account="Team gateway", expires_at=end))
    told = api_client(alice).get("/api/v1/health/").json()["providers"]
    used = next(one for one in told if one["provider_id"] == "openai")["credential"]
    assert (used["kind"], used["source"], used["method"], used["account"]) == (
        "session", "own", "bearer", "Team gateway",
    )  # fmt: skip
    assert used["expires_at"] is not None


# ---------------------------------------------------------------- the page
def test_the_page_says_what_is_known_of_a_session(alice: Actor, vendors: str) -> None:
    sent = {"secret": TOKEN, "account": "Team gateway", "expires_at": "2099-01-02T03:04", "fallback_allowed": "1"}
    answer = page_client(alice).post(KEEP, sent, follow=True)
    said = text_of(answer)
    assert "OpenAI accepted the session in" in said
    for words in ("Pasted token", "Team gateway", "2 Jan 2099, 03:04 UTC", "Your session Team gateway", "Working"):
        assert words in said
    assert TOKEN not in answer.content.decode()


def test_an_ended_session_is_told_with_what_becomes_of_requests(alice: Actor, vendors: str) -> None:
    credentials.save(alice, provider_id="openai", secret=KEY, shared=False)
    client = page_client(alice)
    said = text_of(client.post(KEEP, {"secret": ENDED}, follow=True))
    assert "OpenAI refused the session" in said
    assert "The OpenAI session has expired. Requests wait until it is renewed" in said
    assert "Session expired" in said
    client.post("/settings/providers/openai/mode/", {"mode": "session", "fallback_allowed": "1"})
    said = text_of(client.get(PAGE))
    assert "The API key stands in for it." in said
    assert "Your key (fallback)" in said


def test_a_session_of_the_workspace_is_seen_in_the_console_and_not_changed_there(alice: Actor) -> None:
    row = session_keeping.save(alice, Given("openai", TOKEN, shared=True, account="Team gateway"))
    client = console_client(alice)
    assert "Team gateway" in client.get("/admin/providers/credential/").content.decode()
    page = client.get(f"/admin/providers/credential/{row.pk}/change/").content.decode()
    assert 'name="key"' not in page
    assert TOKEN not in page


# ---------------------------------------------------------------- for others
def test_a_bad_personal_credential_never_marks_a_provider_down_for_others(
    alice: Actor, bob: Actor, vendors: str
) -> None:
    shared = credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    assert checks.check_from_thread(f"credential:{shared.pk}").ok
    before = ProviderHealth.objects.get(provider_id="openai")
    bad = credentials.save(bob, provider_id="openai", secret="sk-revoked-" + "a" * 24, shared=False)
    ended = session_keeping.save(bob, Given("openai", ENDED))
    for row in (bad, ended) * 3:
        assert not checks.check_from_thread(f"credential:{row.pk}").ok
    codes = ("invalid_auth", "session_expired", "provider_unavailable", "timeout") * 5
    health.record_runs([Heard("openai", alice.workspace_id, "own", code) for code in codes])
    now = ProviderHealth.objects.get(provider_id="openai")
    assert (now.state, now.since, now.recent) == (before.state, before.since, before.recent)
    hers = next(one for one in standing.stand(alice) if one.provider.provider_id == "openai")
    his = next(one for one in standing.stand(bob) if one.provider.provider_id == "openai")
    assert (hers.mark.text, his.mark.text) == ("Operational", "Session expired")
    assert guard.states() == {}
