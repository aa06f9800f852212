"""Linking from the settings, and taking a linked account off again; the last way in stays."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core import mail

from accounts.models import AuditEntry, IdentityProvider
from tests.accounts.evil_issuer import Issuer, Lie
from tests.accounts.identity.conftest import Traveller
from tests.accounts.identity.test_linking import LINK, linked


@pytest.fixture
def at_home(dora: Traveller, acme: IdentityProvider) -> Traveller:
    """Freshly signed up with a passkey, signed in."""
    dora.sign_up()
    mail.outbox.clear()
    return dora


def test_an_account_with_another_address_is_linked_from_the_settings(at_home: Traveller, issuer: Issuer) -> None:
    issuer.person |= {"email": "work@example.org"}
    page = at_home.travel(issuer, process="connect")
    assert "work@example.org" in page.text
    assert linked() == []
    at_home.post(LINK)
    assert linked() == [("dora@example.com", "dora-1")]
    assert sorted(one.to[0] for one in mail.outbox) == ["dora@example.com", "work@example.org"]
    at_home.sign_out()
    page = at_home.travel(issuer)
    assert page.request["PATH_INFO"] == "/accounts/2fa/authenticate/"
    at_home.prove(page)
    assert at_home.email_of_session == "dora@example.com"


def test_an_account_of_somebody_else_is_not_linked(at_home: Traveller, eve: Traveller, issuer: Issuer) -> None:
    issuer.person = {"sub": "eve-1", "email": "eve@example.com", "email_verified": True}
    eve.travel(issuer)
    page = at_home.travel(issuer, process="connect")
    assert "belongs to somebody else here" in page.text
    assert linked() == [("eve@example.com", "eve-1")]


def test_a_link_is_finished_by_who_began_it(at_home: Traveller, eve: Traveller, issuer: Issuer) -> None:
    back = issuer.authorize(at_home.leave(process="connect"))
    states = at_home.client.session["socialaccount_states"]
    eve.sign_up()
    session = eve.client.session
    session["socialaccount_states"] = states
    session.save()
    page = eve.come_back(back)
    assert page.status_code == 401
    assert linked() == []


def test_a_stranger_cannot_link(dora: Traveller, acme: IdentityProvider) -> None:
    assert dora.post("/accounts/oidc/acme/login/?process=connect").request["PATH_INFO"] == "/accounts/login/"


def test_a_cancelled_sign_in_changes_nothing_and_says_so(at_home: Traveller, issuer: Issuer) -> None:
    issuer.lie = Lie(callback={"code": None, "error": "access_denied"})
    page = at_home.travel(issuer, process="connect")
    assert page.request["PATH_INFO"] == "/settings/accounts/"
    assert "You did not go on with Acme. Nothing was changed." in page.text
    at_home.sign_out()
    assert at_home.travel(issuer).request["PATH_INFO"] == "/accounts/login/"


# ---------------------------------------------------------------- taking it off
def unlink(person: Traveller) -> Any:
    return person.post(f"/settings/accounts/linked/{SocialAccount.objects.get().pk}/unlink/")


def test_a_linked_account_is_taken_off_and_both_are_told(at_home: Traveller, issuer: Issuer) -> None:
    issuer.person |= {"email": "work@example.org"}
    at_home.travel(issuer, process="connect")
    at_home.post(LINK)
    mail.outbox.clear()
    assert "Your Acme account is unlinked" in unlink(at_home).text
    assert linked() == []
    assert sorted(one.to[0] for one in mail.outbox) == ["dora@example.com", "work@example.org"]
    assert AuditEntry.objects.filter(action__in=["identity.linked", "identity.unlinked"]).count() == 2


def test_taking_one_off_takes_a_proof_of_the_last_minutes(
    at_home: Traveller, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home.travel(issuer, process="connect")
    at_home.post(LINK)
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert unlink(at_home).request["PATH_INFO"] == "/accounts/2fa/webauthn/reauthenticate/"
    assert linked() == [("dora@example.com", "dora-1")]


def test_the_last_way_in_stays(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    dora.travel(issuer)
    page = dora.get(f"/settings/accounts/linked/{SocialAccount.objects.get().pk}/unlink/")
    assert "The last way to sign in stays" in page.text
    assert "so it stays" in unlink(dora).text
    assert linked() == [("dora@example.com", "dora-1")]


def test_a_passkey_makes_the_linked_account_removable_and_the_other_way_round(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    dora.travel(issuer)
    dora.make_passkey(dora.get("/accounts/2fa/webauthn/add/"))
    key = Authenticator.objects.get(type="webauthn")
    IdentityProvider.objects.update(enabled=False)
    dora.post(f"/accounts/2fa/webauthn/keys/{key.pk}/remove/")
    assert Authenticator.objects.filter(pk=key.pk).exists()
    IdentityProvider.objects.update(enabled=True)
    dora.post(f"/accounts/2fa/webauthn/keys/{key.pk}/remove/")
    assert not Authenticator.objects.filter(pk=key.pk).exists()
    assert "so it stays" in unlink(dora).text


def test_an_account_of_somebody_else_cannot_be_taken_off(
    at_home: Traveller, eve: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    issuer.person = {"sub": "eve-1", "email": "eve@example.com", "email_verified": True}
    eve.travel(issuer)
    assert unlink(at_home).status_code == 404
    assert linked() == [("eve@example.com", "eve-1")]
