"""One-time sign-in links: one use, thirty minutes, this machine, development."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import links
from accounts.models import SignInLink, User
from accounts.policies import Actor


@pytest.fixture
def link(alice: Actor) -> str:
    return links.make_sign_in_link(User.objects.get(pk=alice.user_id))


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_link_signs_in_and_offers_a_passkey(client: Client, link: str) -> None:
    answer = client.get(link)
    assert answer.status_code == 302
    assert answer["Location"] == "/welcome/"
    assert is_signed_in(client)
    assert "Add a passkey" in client.get("/welcome/").text


def test_signing_in_by_link_is_recent_proof(client: Client, link: str) -> None:
    client.get(link)
    assert client.get("/accounts/2fa/webauthn/add/").status_code == 200


def test_the_session_of_a_link_is_listed_and_can_be_ended(client: Client, alice: Actor, link: str) -> None:
    client.get(link)
    other = Client()
    other.get(links.make_sign_in_link(User.objects.get(pk=alice.user_id)))
    assert client.get("/settings/accounts/").text.count("<span>sign-in link</span>") == 2
    client.post("/settings/accounts/sessions/end-others/")
    assert is_signed_in(client)
    assert not is_signed_in(other)


def test_a_link_works_once(client: Client, link: str) -> None:
    client.get(link)
    stranger = Client()
    assert stranger.get(link).status_code == 404
    assert not is_signed_in(stranger)


def test_its_owner_may_click_a_used_link_again(client: Client, link: str) -> None:
    client.get(link)
    assert client.get(link)["Location"] == "/"


def test_the_database_holds_no_link(link: str) -> None:
    assert link.split("/")[2] not in str(SignInLink.objects.values().get())


def test_a_link_ends_after_thirty_minutes(client: Client, link: str) -> None:
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(link).status_code == 404
    assert not is_signed_in(client)


def test_a_closed_account_has_no_way_in(client: Client, alice: Actor, link: str) -> None:
    User.objects.update(is_active=False)
    assert client.get(link).status_code == 404


def test_of_two_uses_at_once_one_wins(alice: Actor, link: str) -> None:
    token = link.split("/")[2]
    assert [links.consume(token) is None for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    "meta",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": "10.0.0.1"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"REMOTE_ADDR": "::1", "HTTP_FORWARDED": "for=192.0.2.7"},
    ],
)
def test_from_another_machine_the_page_does_not_exist(client: Client, link: str, meta: dict[str, str]) -> None:
    answer = client.get(link, **meta)  # type: ignore[arg-type]
    nowhere = client.get("/enter/nothing/", **meta)  # type: ignore[arg-type]
    assert (answer.status_code, answer.content) == (404, nowhere.content)
    assert SignInLink.objects.get().used_at is None


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_every_spelling_of_this_machine_is_served(client: Client, link: str, address: str) -> None:
    assert client.get(link, REMOTE_ADDR=address).status_code == 302


def test_production_serves_no_link(client: Client, link: str, settings: Any) -> None:
    settings.DEVELOPMENT = False
    assert client.get(link).status_code == 404
    assert not is_signed_in(client)
