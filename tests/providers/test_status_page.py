"""The status page and its two doors for programs: who sees what, in every state the page has."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.policies import Actor
from providers import credentials, health, session_keeping
from providers.models import Credential, HealthSample, ProviderHealth
from providers.session_keeping import Given
from tests.providers.people import api_client, console_client, page_client

TOKEN = "sk-session-aaaaaaaaaaaaaaaaaaaaaaaa9c1e"
KEY = "sk-live-0123456789abcdef4f2a"


def page(actor: Actor, **query: str) -> str:
    answer = page_client(actor).get("/status/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def check(code: str = "", provider: str = "openai", times: int = 1) -> None:
    for _ in range(times):
        health.record_check(provider, code, 120)


@pytest.fixture
def installed(settings: Any) -> None:
    settings.PROVIDER_KEYS = {"openai": KEY, "gemini": "AIza0123456789012345678901234567890"}


def test_nobody_connected(alice: Actor) -> None:
    text = page(alice)
    assert "No provider is connected yet" in text
    assert text.count("never checked") >= 3
    assert "Nothing has changed since checks began." in text


@pytest.mark.usefixtures("installed")
def test_connected_and_nothing_checked_yet(alice: Actor) -> None:
    assert "Nothing has been checked yet" in page(alice)


@pytest.mark.usefixtures("installed")
def test_all_working(alice: Actor) -> None:
    check()
    check(provider="gemini")
    text = page(alice)
    assert "All two connected providers work" in text
    assert "100% of checks passed" in text
    assert "OpenAI answered its first check." in text
    assert "0.12 s" in text or "0.13 s" in text or "0.11 s" in text


@pytest.mark.usefixtures("installed")
def test_one_degraded(alice: Actor) -> None:
    check()
    check(provider="gemini")
    check("timeout", provider="gemini")
    text = page(alice)
    assert "One of two connected providers is degraded" in text
    assert "Other providers are not affected." in text
    assert 'data-s="degraded" data-provider-health="gemini"' in text
    assert "50.00% of checks passed" in text


@pytest.mark.usefixtures("installed")
def test_one_down_and_back(alice: Actor) -> None:
    check(provider="gemini")
    check("provider_unavailable", times=3)
    assert "One of two connected providers is not responding" in page(alice)
    ProviderHealth.objects.filter(pk="openai").update(recent=[])
    check()
    text = page(alice)
    assert "OpenAI works again, after" in text
    assert "resolved" in text


@pytest.mark.usefixtures("installed")
def test_sixty_days_are_drawn_and_can_be_read_as_a_table(alice: Actor) -> None:
    check()
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for days, passed, failed in ((1, 10, 1), (2, 1, 10), (59, 5, 0)):
        HealthSample.objects.create(
            provider_id="openai", kind="check", hour=hour - timedelta(days=days), passed=passed, failed=failed
        )
    text = page(alice)
    drawn = text.split('data-provider-health="openai"')[2 if text.count('data-provider-health="openai"') > 1 else 1]
    bars = drawn.split("</svg>")[0]
    assert (bars.count("<rect"), bars.count('class="w"'), bars.count('class="b"')) == (60, 1, 1)
    assert text.count('<th scope="row">') == 4


def test_somebody_without_a_credential_sees_no_history_of_others(alice: Actor, charlie: Actor) -> None:
    credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    check("timeout")
    assert "not responding" in page(alice)
    elsewhere = page(charlie)
    assert "No provider is connected yet" in elsewhere
    assert "does not respond" not in elsewhere
    assert 'class="b"' not in elsewhere.split("legend")[0]


@pytest.mark.usefixtures("installed")
def test_a_part_of_the_page_can_be_drawn_again(alice: Actor) -> None:
    part = page(alice, part="1")
    assert part.lstrip().startswith('<section class="overall')
    assert "<html" not in part


def test_the_sidebar_says_it_on_every_page(alice: Actor, installed: None) -> None:
    check()
    check("timeout", provider="gemini", times=3)
    text = page_client(alice).get("/settings/providers/").content.decode()
    assert 'data-s="down" data-provider-health=""><i></i>1 down' in text


def test_nobody_who_is_not_signed_in_sees_it(db: None) -> None:
    assert Client().get("/status/").status_code == 302
    assert Client().get("/status.json").status_code in {401, 403}
    assert Client().get("/api/v1/health/").status_code == 401


# ---------------------------------------------------------------- check all now
def test_an_administrator_checks_everything_at_once(alice: Actor, sandbox: str) -> None:
    client = page_client(alice)
    assert "Check all now" in client.get("/status/").content.decode()
    assert client.post("/status/check/").status_code == 302
    assert ProviderHealth.objects.get(pk="openai").state == "ok"
    assert "all passed" in client.get("/status/").content.decode()


def test_a_member_does_not(bob: Actor, sandbox: str) -> None:
    client = page_client(bob)
    assert "Check all now" not in client.get("/status/").content.decode()
    assert client.post("/status/check/").status_code == 403
    assert not ProviderHealth.objects.exists()


# ---------------------------------------------------------------- programs and the console
@pytest.mark.usefixtures("installed")
def test_programs_read_the_same(alice: Actor) -> None:
    check()
    check("timeout", provider="gemini", times=3)
    found = api_client(alice).get("/api/v1/health/").json()
    assert (found["status"], found["title"]) == ("down", "One of two connected providers is not responding")
    rows = {row["provider_id"]: row for row in found["providers"]}
    assert (rows["gemini"]["state"], rows["gemini"]["reason"], rows["openai"]["latency_ms"]) == ("down", "timeout", 120)
    assert (rows["openai_compatible"]["connected"], rows["openai_compatible"]["since"]) == (False, None)
    assert page_client(alice).get("/status.json").json() == found
    assert api_client(alice).get("/status.json").json() == found
    assert api_client(alice, ("credentials",)).get("/api/v1/health/").status_code == 403


@pytest.mark.usefixtures("installed")
def test_the_console_shows_it_and_changes_nothing(alice: Actor, bob: Actor) -> None:
    check()
    check("timeout", times=3)
    client = console_client(alice)
    listed = client.get("/admin/providers/providerhealth/")
    assert (listed.status_code, b"Not responding" in listed.content) == (200, True)
    row = client.get("/admin/providers/providerhealth/openai/change/")
    assert (row.status_code, b"History" in row.content, b"Degraded" in row.content) == (200, True, True)
    assert client.post("/admin/providers/providerhealth/openai/change/", {"state": "ok"}).status_code == 403
    assert client.get("/admin/providers/providerhealth/add/").status_code == 403
    assert console_client(bob).get("/admin/providers/providerhealth/").status_code in {302, 403, 404}


# ---------------------------------------------------------------- through which credential
def test_whose_session_until_when_and_how_it_is_are_told_to_who_may_use_it(
    alice: Actor, bob: Actor, charlie: Actor
) -> None:
    soon = timezone.now() + timedelta(minutes=12, seconds=30)
    session_keeping.save(alice, Given("openai", TOKEN, account="Mine alone", expires_at=soon, fallback_allowed=True))
    session_keeping.save(alice, Given("openai", TOKEN, account="Team gateway", shared=True))
    credentials.save(alice, provider_id="openai", secret=KEY, shared=False)
    Credential.objects.update(checked_at=timezone.now() - timedelta(minutes=3))
    hers, his, theirs = (words(page(person)) for person in (alice, bob, charlie))
    for said in (
        "Your session of Mine alone is used. Pasted token Expires in 12 min Checked 3 min ago",
        "Your key ending 4f2a is not what its owner prefers. API key Checked 3 min ago",
        "The workspace's session of Team gateway is not needed.",
    ):
        assert said in hers
    assert "The workspace's session of Team gateway is used." in his
    assert "Mine alone" not in his
    assert "Team gateway" not in theirs


def test_a_session_that_has_ended_says_what_stands_in_for_it(alice: Actor) -> None:
    session_keeping.save(alice, Given("openai", TOKEN, account="Mine alone", fallback_allowed=True))
    credentials.save(alice, provider_id="openai", secret=KEY, shared=False)
    Credential.objects.filter(kind="session").update(expires_at=timezone.now() - timedelta(minutes=5))
    said = words(page(alice))
    assert "Your session of Mine alone has expired. Pasted token Expired 5 min ago" in said
    assert "Your key ending 4f2a is used." in said


def words(text: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def test_the_api_tells_what_is_preferred_and_when_it_was_checked(alice: Actor) -> None:
    session_keeping.save(alice, Given("openai", TOKEN))
    at = timezone.now().replace(microsecond=0)
    Credential.objects.update(checked_at=at)
    told = api_client(alice).get("/api/v1/health/").json()["providers"]
    used = next(one for one in told if one["provider_id"] == "openai")["credential"]
    assert (used["mode"], used["checked_at"]) == ("session", at.isoformat().replace("+00:00", "Z"))


def test_the_console_tells_account_end_and_preference(alice: Actor) -> None:
    past = timezone.now() - timedelta(minutes=5)
    row = session_keeping.save(alice, Given("openai", TOKEN, account="Team gateway", shared=True))
    Credential.objects.update(expires_at=past)
    client = console_client(alice)
    for address in ("providerhealth/", "credential/", f"credential/{row.pk}/change/"):
        said = words(client.get(f"/admin/providers/{address}").content.decode())
        assert "Team gateway" in said
        assert "Expired" in said
    assert "Token session" in said
    Credential.objects.update(state="expired")
    listed = client.get("/admin/providers/credential/?state__in=refused,expired,malformed")  # where the overview leads
    assert "1 credential" in words(listed.content.decode())
    assert "?state__in=refused,expired,malformed" in client.get("/admin/").content.decode()
