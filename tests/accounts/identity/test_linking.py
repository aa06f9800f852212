"""Linking never follows an address alone."""

import time
from typing import Any

import pytest
from allauth.account import app_settings as account_settings
from allauth.account.models import EmailAddress
from allauth.mfa import app_settings as mfa_settings
from allauth.socialaccount import app_settings
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.core.cache import cache

from accounts.models import AuditEntry, IdentityProvider, Membership, Role, User
from tests.accounts.evil_issuer import Issuer
from tests.accounts.identity.conftest import Traveller, make_provider
from tests.factories import make_workspace

LINK = "/link/"


@pytest.fixture
def dora_with_passkey(dora: Traveller) -> Traveller:
    """An account with a passkey; she is signed out."""
    dora.sign_up()
    dora.sign_out()
    cache.clear()
    mail.outbox.clear()
    return dora


@pytest.fixture
def collided(dora_with_passkey: Traveller, issuer: Issuer, acme: IdentityProvider) -> Traveller:
    """She came from Acme with the address of her account, and is asked whether it is hers."""
    page = dora_with_passkey.travel(issuer)
    assert page.request["PATH_INFO"] == LINK
    return dora_with_passkey


def linked() -> list[tuple[str, str]]:
    return list(SocialAccount.objects.order_by("pk").values_list("user__email", "uid"))


def actions() -> list[str]:
    return list(AuditEntry.objects.filter(action__startswith="identity.link").values_list("action", flat=True))


# ---------------------------------------------------------------- a known address
def test_a_known_address_signs_nobody_in_and_says_what_to_do(collided: Traveller) -> None:
    page = collided.get(LINK)
    assert not collided.is_in
    assert "There is an account with this email" in page.text
    assert "Acme" in page.text
    assert "dora@example.com" in page.text
    assert linked() == []


def test_after_the_passkey_and_a_yes_it_is_linked_and_both_are_told(collided: Traveller, issuer: Issuer) -> None:
    collided.sign_in()
    page = collided.get(LINK)
    assert "Link this Acme account?" in page.text
    assert linked() == []
    page = collided.post(LINK)
    assert "Your Acme account is linked" in page.text
    assert linked() == [("dora@example.com", "dora-1")]
    assert [one.subject for one in mail.outbox] == ["[Parley] An account was linked"]
    assert "Acme account dora@example.com" in mail.outbox[0].body
    assert actions() == ["identity.linked"]
    assert collided.post(LINK).status_code == 410


def test_a_code_by_mail_alone_does_not_prove_an_account_with_a_passkey(collided: Traveller) -> None:
    collided.confirm(collided.post("/accounts/login/", login=collided.email, next=LINK))
    assert not collided.is_in
    collided.post(LINK)
    assert linked() == []


def test_another_person_cannot_take_the_link(collided: Traveller, eve: Traveller) -> None:
    cookie = collided.client.cookies["sessionid"].value
    eve.sign_up()
    eve.sign_out()
    cache.clear()
    eve.client.cookies["sessionid"] = cookie
    eve.sign_in()
    page = eve.post(LINK)
    assert page.status_code == 409
    assert "This link is for another account" in page.text
    assert linked() == []


def test_a_link_is_gone_after_ten_minutes(collided: Traveller, monkeypatch: pytest.MonkeyPatch) -> None:
    collided.sign_in()
    later = time.time() + 600
    monkeypatch.setattr(time, "time", lambda: later)
    assert collided.post(LINK).status_code == 410
    assert linked() == []


def test_a_link_can_be_called_off(collided: Traveller) -> None:
    page = collided.post("/link/cancel/")
    assert "Nothing was linked" in page.text
    collided.sign_in()
    assert collided.post(LINK).status_code == 410


def test_reading_the_page_links_nothing(collided: Traveller) -> None:
    collided.sign_in()
    collided.get(LINK)
    assert linked() == []


def test_a_sign_in_long_ago_does_not_prove_anything(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora.sign_up()
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    page = dora.post("/accounts/oidc/acme/login/?process=connect")
    assert page.request["PATH_INFO"] == "/accounts/2fa/webauthn/reauthenticate/"


def test_a_confirmation_takes_a_proof_of_the_last_minutes(collided: Traveller, monkeypatch: pytest.MonkeyPatch) -> None:
    collided.sign_in()
    later = time.time() + account_settings.REAUTHENTICATION_TIMEOUT + 1
    monkeypatch.setattr(time, "time", lambda: later)
    page = collided.post(LINK)
    assert page.request["PATH_INFO"] == "/accounts/2fa/webauthn/reauthenticate/"
    assert linked() == []


def test_a_link_to_a_provider_that_was_turned_off_is_gone(collided: Traveller) -> None:
    collided.sign_in()
    IdentityProvider.objects.update(enabled=False)
    assert collided.post(LINK).status_code == 410


# ---------------------------------------------------------------- the takeover matrix
def test_nothing_of_allauth_merges_by_address_keeps_tokens_or_acts_on_a_mere_click() -> None:
    assert not app_settings.EMAIL_AUTHENTICATION
    assert not app_settings.EMAIL_AUTHENTICATION_AUTO_CONNECT
    assert not app_settings.STORE_TOKENS
    assert not app_settings.LOGIN_ON_GET
    assert not account_settings.LOGOUT_ON_GET
    assert not mfa_settings.WEBAUTHN_ALLOW_INSECURE_ORIGIN


@pytest.mark.parametrize("said", [False, "false", "true", 1, None, "0"])
def test_an_address_that_is_not_verified_in_so_many_words_reveals_and_merges_nothing(
    dora_with_passkey: Traveller, eve: Traveller, issuer: Issuer, acme: IdentityProvider, said: Any
) -> None:
    issuer.person = {"sub": "eve-1", "email": "dora@example.com", "email_verified": said}
    known = eve.travel(issuer)
    cache.clear()
    eve.client.cookies.clear()
    issuer.person = {"sub": "eve-2", "email": "nobody@example.com", "email_verified": said}
    unknown = eve.travel(issuer)
    assert (known.status_code, known.request["PATH_INFO"]) == (200, "/accounts/confirm-email/")
    assert (unknown.status_code, unknown.request["PATH_INFO"]) == (200, "/accounts/confirm-email/")
    assert not eve.is_in
    assert not SocialAccount.objects.filter(user__email="dora@example.com").exists()
    assert "already" in mail.outbox[0].subject
    dora_with_passkey.sign_in()
    assert dora_with_passkey.is_in


def test_an_address_that_changes_there_changes_nothing_here(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, eve: Traveller
) -> None:
    dora.travel(issuer)
    dora.sign_out()
    eve.sign_up()
    issuer.person |= {"email": "eve@example.com"}
    dora.travel(issuer)
    assert dora.email_of_session == "dora@example.com"
    assert "eve@example.com" in dora.get("/settings/accounts/").text
    assert EmailAddress.objects.get(user__email="dora@example.com").email == "dora@example.com"


def test_a_recycled_address_does_not_open_its_former_owners_account(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, eve: Traveller
) -> None:
    dora.travel(issuer)
    dora.sign_out()
    issuer.person = {"sub": "eve-1", "email": "dora@example.com", "email_verified": True}
    page = eve.travel(issuer)
    assert page.request["PATH_INFO"] == LINK
    assert not eve.is_in
    assert linked() == [("dora@example.com", "dora-1")]


def test_the_same_subject_of_another_issuer_is_another_person(
    dora: Traveller, eve: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    make_provider(issuer, "other")
    dora.travel(issuer)
    issuer.person = {"sub": "dora-1", "email": "eve@example.com", "email_verified": True}
    eve.travel(issuer, "other")
    assert dora.email_of_session == "dora@example.com"
    assert eve.email_of_session == "eve@example.com"


def test_an_account_begun_with_somebody_elses_address_does_not_stand_in_their_way(
    dora: Traveller, eve: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    eve.email = "dora@example.com"
    eve.start_sign_up()
    squatted = User.objects.get()
    dora.travel(issuer)
    assert dora.email_of_session == "dora@example.com"
    assert not User.objects.filter(pk=squatted.pk).exists()
    assert AuditEntry.objects.filter(action="identity.unproven_removed").exists()
    assert not eve.is_in


def test_an_owner_who_has_not_come_yet_is_not_swept_away(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    waiting = User.objects.create_user("dora@example.com")
    Membership.objects.create(user=waiting, workspace=make_workspace(), role=Role.OWNER)
    page = dora.travel(issuer)
    assert User.objects.filter(pk=waiting.pk).exists()
    assert not dora.is_in
    assert page.status_code == 200
    assert linked() == []


def test_a_workspaces_own_issuer_cannot_claim_an_address_of_others(
    dora_with_passkey: Traveller, eve: Traveller, issuer: Issuer
) -> None:
    make_provider(issuer, "own", workspace=make_workspace("Eve's"))
    page = eve.travel(issuer, "own")
    assert page.request["PATH_INFO"] == "/accounts/confirm-email/"
    assert not eve.is_in
    assert linked() == []


def test_two_callbacks_of_one_person_at_once_make_one_account(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one is at its look-up when the first one saves."""
    from allauth.socialaccount.models import SocialLogin

    other = Traveller(type(dora.client)(headers={"host": "localhost"}), dora.device)
    second = issuer.authorize(other.leave())
    real = SocialLogin.lookup

    def lookup(self: SocialLogin) -> None:
        real(self)
        monkeypatch.setattr(SocialLogin, "lookup", real)
        dora.travel(issuer)

    monkeypatch.setattr(SocialLogin, "lookup", lookup)
    page = other.come_back(second)
    assert User.objects.count() == SocialAccount.objects.count() == 1
    assert dora.is_in
    assert page.status_code in {200, 401}
    assert not other.is_in
    assert other.travel(issuer).status_code == 200
    assert other.email_of_session == "dora@example.com"
