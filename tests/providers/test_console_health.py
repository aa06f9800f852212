"""The providers' health in the console: what it shows, whose keys, and checking one of them now."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Workspace
from accounts.policies import Actor
from providers import credentials, health
from providers.models import Credential, ProviderHealth
from tests.providers.people import console_client

PAGE = "/admin/providers/providerhealth/"
KEY = "sk-live-0123456789abcdef4f2a"
REVOKED = "sk-revoked-aaaaaaaaaaaaaaaaaaaaaaaa9c1e"

pytestmark = pytest.mark.django_db


@pytest.fixture
def installed(settings: Any) -> None:
    settings.PROVIDER_KEYS = {"openai": KEY, "gemini": "AIza0123456789012345678901234567890"}


def shown(actor: Actor, **query: str) -> str:
    answer = console_client(actor).get(PAGE, query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.usefixtures("installed")
def test_a_provider_in_trouble_says_since_when_why_and_what_changed(alice: Actor) -> None:
    health.record_check("gemini", "", 40)
    for _ in range(3):
        health.record_check("gemini", "timeout", 30_000)
    text = shown(alice)
    assert 'data-s="down" data-provider-health="gemini"' in text
    since = ProviderHealth.objects.get(pk="gemini").since
    assert f"Not responding since {since:%H:%M}" in text
    assert "<code>timeout</code>" in text
    assert "in 30.0 s" in text
    assert "25.00% of checks passed" in text
    assert "Google Gemini does not respond." in text
    assert "One of two connected providers is not responding" in text


def test_an_empty_installation_says_what_to_do(alice: Actor) -> None:
    text = shown(alice)
    assert "No provider is connected yet" in text
    assert "There is no key yet." in text
    assert "Add a workspace key" in text
    assert "Nothing has changed since checks began." in text


@pytest.mark.usefixtures("installed")
def test_keys_are_those_of_the_installation_and_of_administered_workspaces(
    alice: Actor, bob: Actor, charlie: Actor
) -> None:
    credentials.save(alice, provider_id="mistral", secret="a" * 28 + "hers", shared=True)
    credentials.save(bob, provider_id="mistral", secret="b" * 29 + "own", shared=False)
    credentials.save(charlie, provider_id="mistral", secret="c" * 27 + "their", shared=True)
    text = shown(alice)
    assert "hers" in text
    assert KEY not in text
    assert text.count("Installation") == 2 * 2  # the cell and the name of its button
    assert ("own<" in text, "heir<" in text) == (False, False)


@pytest.mark.usefixtures("installed")
def test_a_key_is_checked_now(alice: Actor, vendors: str) -> None:
    row = credentials.save(alice, provider_id="openai", secret=REVOKED, shared=True)
    client = console_client(alice)
    page = client.post(f"{PAGE}check/", {"ref": f"credential:{row.pk}"}, follow=True).content.decode()
    assert "OpenAI refused the key." in page
    row.refresh_from_db()
    assert (row.state, row.checked_at is not None) == ("refused", True)
    page = client.post(f"{PAGE}check/", {"ref": "environment:openai"}, follow=True).content.decode()
    assert "OpenAI accepted the key in" in page
    assert ProviderHealth.objects.get(pk="openai").state == "ok"


@pytest.mark.usefixtures("installed")
def test_only_a_key_that_the_page_shows_can_be_checked(alice: Actor, bob: Actor, charlie: Actor) -> None:
    theirs = credentials.save(charlie, provider_id="openai", secret=KEY, shared=True)
    own = credentials.save(bob, provider_id="openai", secret=KEY, shared=False)
    client = console_client(alice)
    for ref in (f"credential:{theirs.pk}", f"credential:{own.pk}", "environment:mistral", "sandbox:openai", ""):
        assert client.post(f"{PAGE}check/", {"ref": ref}).status_code == 404
    assert client.get(f"{PAGE}check/").status_code == 405
    assert console_client(bob).post(f"{PAGE}check/", {"ref": "environment:openai"}).status_code in {302, 403}
    assert not Credential.objects.exclude(checked_at=None).exists()


def test_the_part_is_the_page_without_its_frame(alice: Actor) -> None:
    text = shown(alice, part="1")
    assert "<html" not in text
    assert 'data-provider-health="openai"' in text


def test_a_superuser_without_a_workspace_sees_it_too(alice: Actor) -> None:
    client = console_client(alice, superuser=True)
    Workspace.objects.all().delete()
    assert client.get(PAGE).status_code == 200
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("installed")
def test_the_page_costs_twelve_queries_at_most_however_much_there_is(alice: Actor) -> None:
    client = console_client(alice)
    credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    for day in range(60):
        for name in ("openai", "gemini", "mistral"):
            health.record_check(name, "timeout" if day % 2 else "", 50, now=timezone.now() - timedelta(days=60 - day))
    for address in (PAGE, f"{PAGE}?part=1", "/admin/"):
        with CaptureQueriesContext(connection) as made:
            assert client.get(address).status_code == 200
        assert len(made) <= 12, "\n".join(one["sql"] for one in made)
