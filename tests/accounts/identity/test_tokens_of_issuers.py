"""What an issuer may say and what it may not: each lie is answered 401 with a remedy, and nothing is made of it."""

import base64
import json
import time
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session

from accounts.models import IdentityProvider, User
from tests.accounts.evil_issuer import CLIENT, SECRET, Issuer, Lie
from tests.accounts.identity.conftest import Traveller, make_provider

NOW = int(time.time())
LIES = {
    "a bad signature": Lie(signed="broken"),
    "another key under a known name": Lie(signed="foreign"),
    "a key that is not in the set": Lie(signed="unknown_kid"),
    "no signature": Lie(signed="none"),
    "a public key as a shared secret": Lie(signed="hs256"),
    "another nonce": Lie(claims={"nonce": "x" * 43}),
    "no nonce": Lie(claims={"nonce": None}),
    "a nonce that is no text": Lie(claims={"nonce": 7}),
    "another audience": Lie(claims={"aud": "other"}),
    "two audiences and no party": Lie(claims={"aud": [CLIENT, "other"]}),
    "two audiences and another party": Lie(claims={"aud": [CLIENT, "other"], "azp": "other"}),
    "one audience and another party": Lie(claims={"azp": "other"}),
    "another issuer": Lie(claims={"iss": "https://other.example"}),
    "expired": Lie(claims={"exp": NOW - 3600}),
    "no end": Lie(claims={"exp": None}),
    "an end that is no number": Lie(claims={"exp": "tomorrow"}),
    "made in the future": Lie(claims={"iat": NOW + 3600}),
    "made yesterday": Lie(claims={"iat": NOW - 86400}),
    "never made": Lie(claims={"iat": None}),
    "no subject": Lie(claims={"sub": None}),
    "a blank subject": Lie(claims={"sub": "  "}),
    "a subject that is no text": Lie(claims={"sub": 12}),
    "a subject with control characters": Lie(claims={"sub": "dora\n1"}),
    "a subject without end": Lie(claims={"sub": "x" * 192}),
    "no ID token": Lie(answer={"id_token": None}),
    "an ID token that is no text": Lie(answer={"id_token": {"sub": "dora-1"}}),
    "an ID token that is no token": Lie(answer={"id_token": "a.b.c"}),
    "an ID token without end": Lie(answer={"id_token": "x" * 40_000}),
    "an answer that is no object": Lie(body=b"[]"),
    "an answer that is no JSON": Lie(body=b"<html>"),
    "an answer without end": Lie(body=b" " * 300_000),
    "a server error": Lie(status=500),
    "a refusal": Lie(status=401),
    "a redirect": Lie(status=302),
    "a callback of another issuer": Lie(callback={"iss": "https://other.example"}),
    "no issuer in the callback of one that names itself": Lie(
        metadata={"authorization_response_iss_parameter_supported": True}
    ),
    "another state": Lie(callback={"state": "x" * 16}),
    "no state": Lie(callback={"state": None}),
    "no code": Lie(callback={"code": None}),
    "a code without end": Lie(callback={"code": "x" * 5000}),
    "an error": Lie(callback={"code": None, "error": "server_error"}),
}
METADATA = {
    "it calls itself something else": {"issuer": "https://other.example"},
    "its keys are elsewhere in the clear": {"jwks_uri": "http://keys.example/keys"},
    "its token address is a file": {"token_endpoint": "file:///etc/passwd"},
    "it has no token address": {"token_endpoint": None},
    "its login page is a script": {"authorization_endpoint": "javascript:alert(1)"},
    "its login page is no text": {"authorization_endpoint": ["x"]},
}


def assert_nothing_happened(page: Any, dora: Traveller) -> None:
    assert page.status_code == 401
    assert "did not sign you in" in page.text
    assert "Sign in another way" in page.text
    assert not dora.is_in
    assert not User.objects.exists()
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_is_a_page_with_a_remedy(dora: Traveller, issuer: Issuer, acme: IdentityProvider, lie: Lie) -> None:
    issuer.lie = lie
    assert_nothing_happened(dora.travel(issuer), dora)


@pytest.mark.parametrize("said", METADATA.values(), ids=METADATA)
def test_an_issuer_that_describes_itself_wrongly_is_not_gone_to(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, said: dict[str, Any]
) -> None:
    issuer.lie = Lie(metadata=said)
    assert_nothing_happened(dora.post("/accounts/oidc/acme/login/"), dora)


def test_an_issuer_that_is_not_there_is_said_so(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    IdentityProvider.objects.update(issuer="http://127.0.0.1:9")
    page = dora.post("/accounts/oidc/acme/login/")
    assert_nothing_happened(page, dora)
    assert "Acme is not answering" in page.text


def test_the_truth_signs_in(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    page = dora.travel(issuer)
    assert page.request["PATH_INFO"] == "/welcome/"
    assert dora.email_of_session == "dora@example.com"


def test_no_access_token_is_needed_and_none_is_kept(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    issuer.lie = Lie(answer={"access_token": None, "token_type": None})
    dora.travel(issuer)
    assert dora.is_in
    issuer.lie = Lie()
    dora.sign_out()
    dora.travel(issuer)
    assert dora.is_in
    stored = json.dumps([one.get_decoded() for one in Session.objects.all()], default=str)
    assert "access-1" not in stored
    assert SocialAccount.objects.get().extra_data == {
        "issuer": issuer.url,
        "subject": "dora-1",
        "email": "dora@example.com",
        "email_verified": True,
        "name": "Dora",
        "hosted_domain": "",
        "role": "",
    }


@pytest.mark.parametrize(
    "honest",
    [
        Lie(callback={"iss": "ISSUER"}, metadata={"authorization_response_iss_parameter_supported": True}),
        Lie(claims={"aud": CLIENT}),
        Lie(claims={"aud": [CLIENT, "other"], "azp": CLIENT}),
        Lie(claims={"iat": "TWO MINUTES AGO"}),
    ],
    ids=["named in the callback", "one audience as text", "several and our party", "two minutes old"],
)
def test_what_the_standard_allows_is_accepted(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, honest: Lie
) -> None:
    honest.callback = {name: issuer.url if value == "ISSUER" else value for name, value in honest.callback.items()}
    ago = int(time.time()) - 120
    honest.claims = {name: ago if value == "TWO MINUTES AGO" else value for name, value in honest.claims.items()}
    issuer.lie = honest
    dora.travel(issuer)
    assert dora.is_in


def test_the_secret_goes_into_the_basic_header_and_nowhere_else(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    dora.travel(issuer)
    [asked] = issuer.asked
    pair = base64.b64decode(asked.pop("authorization").removeprefix("Basic ")).decode()
    assert pair == "oaiapp_parley:s3cret%3Awith%2Fodd%2Bchars"
    assert SECRET not in str(asked)
    assert set(asked) == {"grant_type", "code", "redirect_uri", "code_verifier"}


def test_what_a_link_adds_to_the_address_is_ignored(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    evil = "auth_params=client_id%3Devil%26redirect_uri%3Dhttps%3A%2F%2Fevil.example%26prompt%3Dnone&scope=admin"
    address = dora.address_on(dora.post(f"/accounts/oidc/acme/login/?{evil}"))
    assert "evil" not in address
    assert "admin" not in address
    assert "prompt" not in address
    assert "nonce=" in address


def test_a_used_callback_is_used_up(dora: Traveller, issuer: Issuer, acme: IdentityProvider) -> None:
    back = issuer.authorize(dora.leave())
    dora.come_back(back)
    dora.sign_out()
    page = dora.come_back(back)
    assert page.status_code == 401
    assert "used already" in page.text
    assert not dora.is_in


def test_a_callback_of_somebody_else_is_nothing_here(
    dora: Traveller, eve: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    back = issuer.authorize(eve.leave())
    dora.leave()
    assert_nothing_happened(dora.come_back(back), dora)


def test_a_callback_belongs_to_the_provider_it_was_started_with(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    make_provider(issuer, "other")
    back = issuer.authorize(dora.leave("other"))
    assert_nothing_happened(dora.come_back(back.replace("/other/", "/acme/")), dora)


def test_a_sign_in_that_took_too_long_is_started_again(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = issuer.authorize(dora.leave())
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    page = dora.come_back(back)
    assert "too long ago" in page.text
    assert_nothing_happened(page, dora)


@pytest.mark.parametrize("state", [{"enabled": False}, {"client_id": ""}])
def test_a_provider_that_is_off_does_not_exist(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, state: dict[str, Any]
) -> None:
    back = issuer.authorize(dora.leave())
    IdentityProvider.objects.update(**state)
    assert dora.come_back(back).status_code == 404
    assert dora.get("/accounts/oidc/acme/login/").status_code == 404
    assert dora.get("/accounts/oidc/nobody/login/").status_code == 404
    assert "Acme" not in dora.get("/accounts/login/").text


def test_a_secret_that_cannot_be_opened_is_the_administrators_business(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, settings: Any
) -> None:
    from cryptography.fernet import Fernet

    settings.FIELD_KEYRING = f"k9:{Fernet.generate_key().decode()}"
    page = dora.travel(issuer)
    assert "An administrator has to enter it again" in page.text
    assert_nothing_happened(page, dora)


# ---------------------------------------------------------------- more claims at another address
@pytest.fixture
def asking(issuer: Issuer) -> IdentityProvider:
    """The ID token names the subject only; the rest is at the userinfo endpoint."""
    issuer.lie = Lie(claims={"email": None, "email_verified": None, "name": None})
    return make_provider(issuer, fetch_userinfo=True)


def test_an_address_may_come_from_the_userinfo_endpoint(
    db: None, dora: Traveller, issuer: Issuer, asking: IdentityProvider
) -> None:
    dora.travel(issuer)
    assert dora.email_of_session == "dora@example.com"


@pytest.mark.parametrize("more", [{"sub": "eve-1"}, {"sub": None}])
def test_userinfo_of_another_subject_is_refused(
    db: None, dora: Traveller, issuer: Issuer, asking: IdentityProvider, more: dict[str, Any]
) -> None:
    issuer.lie.userinfo = more
    assert_nothing_happened(dora.travel(issuer), dora)


def test_an_address_and_its_verification_come_from_one_place(
    db: None, dora: Traveller, issuer: Issuer, asking: IdentityProvider
) -> None:
    issuer.lie = Lie(claims={"email": "victim@example.com", "email_verified": None})
    page = dora.travel(issuer)
    assert "Check your email" in page.text
    assert not dora.is_in
