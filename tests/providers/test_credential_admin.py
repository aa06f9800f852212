"""Workspace keys in the console, as alice (owner), bob (member) and charlie (owner of another workspace)."""

import logging
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from accounts.models import Role, User, Workspace
from accounts.policies import Actor
from providers import credentials
from providers.models import Credential
from tests.factories import make_actor
from tests.providers.people import console_client

LIST = "/admin/providers/credential/"
ADD = f"{LIST}add/"
CANARY = "sk-canary-aaaaaaaaaaaaaaaaaaaaaaaa4f2a"
OTHER = "sk-other-aaaaaaaaaaaaaaaaaaaaaaaaa9c1e"
REVOKED = "sk-revoked-aaaaaaaaaaaaaaaaaaaaaaaa0b0b"

pytestmark = pytest.mark.django_db


def stored(actor: Actor, *, shared: bool = True, secret: str = CANARY) -> Credential:
    return credentials.save(actor, provider_id="openai", secret=secret, shared=shared)


def entered(actor: Actor, **over: Any) -> dict[str, Any]:
    return {
        "workspace": str(actor.workspace_id),
        "provider_id": "openai",
        "label": "",
        "base_url": "",
        "key": CANARY,
    } | over


def test_a_key_is_entered_checked_and_shown_by_its_hint(alice: Actor, vendors: str) -> None:
    response = console_client(alice).post(ADD, entered(alice), follow=True)
    page = response.content.decode()
    assert "OpenAI accepted the key in" in page
    assert "sk-…4f2a" in page
    assert CANARY not in page
    row = Credential.objects.get()
    assert (row.user_id, row.workspace_id, row.state) == (None, alice.workspace_id, "working")
    assert CANARY not in str(LogEntry.objects.values())


def test_a_refused_key_is_said_to_be_refused(alice: Actor, vendors: str) -> None:
    page = console_client(alice).post(ADD, entered(alice, key=REVOKED), follow=True).content.decode()
    assert "OpenAI refused the key." in page
    assert Credential.objects.get().state == "refused"


def test_no_page_of_the_console_holds_the_key_in_any_form(alice: Actor) -> None:
    row = stored(alice)
    client = console_client(alice)
    for address in (LIST, ADD, f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/delete/", f"{LIST}{row.pk}/history/"):
        page = client.get(address).content.decode()
        assert CANARY not in page
        assert "gAAAA" not in page


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"key": ""}, "Paste a key first."),
        ({"key": "two words"}, "plain letters"),
        ({"base_url": "ftp://example.com"}, "https"),
        ({"provider_id": "nonsense"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_kept_is_refused_under_its_field(alice: Actor, over: dict[str, Any], reason: str) -> None:
    response = console_client(alice).post(ADD, entered(alice, **over))
    assert response.status_code == 200
    assert reason in response.content.decode()
    assert CANARY not in response.content.decode()
    assert not Credential.objects.exists()


def test_replacing_asks_for_the_key_again_and_keeps_the_row(alice: Actor, vendors: str) -> None:
    row = stored(alice)
    client = console_client(alice)
    change = f"{LIST}{row.pk}/change/"
    assert client.post(change, {"label": "new", "base_url": "", "key": ""}).status_code == 200
    assert Credential.objects.get().label == ""
    client.post(change, {"label": "new", "base_url": "", "key": OTHER})
    kept = Credential.objects.get()
    assert (kept.pk, kept.hint, kept.label) == (row.pk, "sk-…9c1e", "new")


def test_keys_are_checked_by_an_action(alice: Actor, vendors: str) -> None:
    row = stored(alice)
    client = console_client(alice)
    client.post(LIST, {"action": "check_now", "_selected_action": [str(row.pk)]})
    assert Credential.objects.get().state == "working"


def test_an_administrator_sees_and_touches_their_workspace_only(alice: Actor, charlie: Actor) -> None:
    theirs = stored(charlie)
    client = console_client(alice)
    listed = client.get(LIST)
    assert listed.status_code == 200
    assert "4f2a" not in listed.content.decode()
    for address in (f"{LIST}{theirs.pk}/change/", f"{LIST}{theirs.pk}/delete/", f"{LIST}{theirs.pk}/history/"):
        assert client.get(address).status_code in {302, 403, 404}
        assert client.post(address, entered(charlie, key=OTHER, post="yes")).status_code in {302, 403, 404}
    for action in ("delete_selected", "check_now"):
        client.post(LIST, {"action": action, "_selected_action": [str(theirs.pk)], "post": "yes"})
    kept = Credential.objects.get()
    assert (kept.hint, kept.state) == ("sk-…4f2a", "unchecked")


def test_a_forged_workspace_is_refused(alice: Actor, charlie: Actor) -> None:
    response = console_client(alice).post(ADD, entered(charlie))
    assert "Select a valid choice" in response.content.decode()
    assert not Credential.objects.exists()


def test_a_member_does_not_get_in(alice: Actor, bob: Actor) -> None:
    row = stored(alice)
    client = console_client(bob)
    for address in (LIST, ADD, f"{LIST}{row.pk}/change/"):
        assert client.get(address).status_code in {302, 403}
    client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    assert Credential.objects.filter(pk=row.pk).exists()


def test_a_member_s_own_key_is_not_the_administrator_s_business(alice: Actor, bob: Actor) -> None:
    own = stored(bob, shared=False)
    client = console_client(alice)
    listed = client.get(LIST)
    assert listed.status_code == 200
    assert "4f2a" not in listed.content.decode()
    client.post(f"{LIST}{own.pk}/delete/", {"post": "yes"})
    assert Credential.objects.filter(pk=own.pk).exists()


def test_a_superuser_sees_every_workspace_and_cannot_replace_a_person_s_own_key(alice: Actor, bob: Actor) -> None:
    own = stored(bob, shared=False, secret=OTHER)
    root = make_actor("root@example.com", Workspace.objects.create(name="Operators"), Role.OWNER)
    client = console_client(root, superuser=True)
    assert "9c1e" in client.get(LIST).content.decode()
    assert client.post(f"{LIST}{own.pk}/change/", entered(bob)).status_code == 403
    assert Credential.objects.get().hint == "sk-…9c1e"
    assert User.objects.get(pk=root.user_id).is_superuser


def test_removing_in_the_console_announces_it(alice: Actor, django_capture_on_commit_callbacks: Any) -> None:
    row, heard = stored(alice), []

    def listen(sender: Any, provider_id: str, **_: Any) -> None:
        heard.append(provider_id)

    client = console_client(alice)
    credentials.changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    finally:
        credentials.changed.disconnect(listen)
    assert heard == ["openai"]
    assert not Credential.objects.exists()


def test_a_crash_while_saving_shows_no_key_in_the_log(
    alice: Actor, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.FIELD_KEYRING = "k1:not-a-fernet-key"
    client = console_client(alice)
    client.raise_request_exception = False
    with caplog.at_level(logging.DEBUG):
        response = client.post(ADD, entered(alice))
    assert response.status_code == 500
    assert CANARY not in response.content.decode()
    assert not any(CANARY in record.getMessage() for record in caplog.records)
