"""Signing up, in and out; what a step asks for; what stays closed."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import ApiToken, Membership, Role, User
from tests.accounts.conftest import Person
from tests.accounts.device import SoftDevice

LATER = 3600.0


@pytest.fixture
def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calling it moves the clock that proofs of identity are weighed by."""
    real = time.time
    return lambda: monkeypatch.setattr(time, "time", lambda: real() + LATER)


def test_sign_up_ends_with_recovery_codes_and_a_plain_membership(dora: Person) -> None:
    page = dora.sign_up()
    assert page.request["PATH_INFO"] == "/accounts/2fa/recovery-codes/"
    assert "Save your recovery codes" in page.text
    user = User.objects.get()
    assert Membership.objects.get(user=user).role == Role.MEMBER
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (False, False, False)
    assert {one.type for one in Authenticator.objects.all()} == {"webauthn", "recovery_codes"}


def test_the_code_goes_out_by_mail_and_stands_on_the_page_for_this_machine_only(dora: Person, settings: Any) -> None:
    page = dora.start_sign_up()
    assert "Development: your code is" in page.text
    assert "[Parley]" in mail.outbox[0].subject
    elsewhere = dora.client.get(page.request["PATH_INFO"], REMOTE_ADDR="192.0.2.9")
    assert elsewhere.status_code == 200
    assert "development-code" not in elsewhere.text
    settings.DEVELOPMENT = False
    assert "development-code" not in dora.get(page.request["PATH_INFO"]).text


def test_a_wrong_code_lets_nobody_in(dora: Person) -> None:
    page = dora.start_sign_up()
    page = dora.post(page.request["PATH_INFO"], code="000000")
    assert "That code is not right" in page.text
    assert not dora.is_in


def test_a_passkey_signs_in_without_naming_anybody(dora: Person) -> None:
    dora.sign_up()
    dora.sign_out()
    assert not dora.is_in
    dora.sign_in()
    assert dora.is_in


def test_an_unknown_passkey_is_told_so_on_the_sign_in_page(dora: Person, eve: Person) -> None:
    dora.sign_up()
    dora.sign_out()
    eve.device.user_handle = dora.device.user_handle
    page = eve.sign_in()
    assert "That was not accepted. Try again." in page.text
    assert not eve.is_in


def test_a_device_that_did_not_verify_its_person_is_refused(dora: Person) -> None:
    dora.sign_up()
    dora.sign_out()
    dora.device.verified = False
    dora.sign_in()
    assert not dora.is_in


def test_a_passkey_made_without_verification_is_refused(dora: Person) -> None:
    dora.device.verified = False
    dora.sign_up()
    assert not dora.is_in
    assert not Authenticator.objects.exists()


def test_a_passkey_for_another_address_is_refused(dora: Person) -> None:
    dora.sign_up()
    dora.sign_out()
    dora.device.origin = "https://localhost.example.com"
    dora.sign_in()
    assert not dora.is_in


def test_passkeys_are_bound_to_what_the_operator_named_whatever_the_address_says(dora: Person, settings: Any) -> None:
    settings.PASSKEY_RP_ID = "parley.example"
    asked = dora.client.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()
    assert asked["request_options"]["publicKey"]["rpId"] == "parley.example"


def test_a_closed_account_cannot_sign_in(dora: Person) -> None:
    dora.sign_up()
    dora.sign_out()
    User.objects.update(is_active=False)
    assert "This account is closed" in dora.sign_in().text
    assert not dora.is_in


def test_sign_up_closes_by_setting_and_says_so(dora: Person, settings: Any) -> None:
    settings.SIGNUP_OPEN = False
    assert "Sign-up is closed" in dora.start_sign_up().text
    assert "Create an account" not in dora.get("/accounts/login/").text
    assert not User.objects.exists()


def test_there_is_no_sign_up_without_a_passkey(dora: Person) -> None:
    assert dora.client.post("/accounts/signup/", {"email": "x@example.com"})["Location"] == "/accounts/signup/passkey/"
    assert not User.objects.exists()


def test_an_address_that_is_taken_looks_like_a_free_one(dora: Person, eve: Person) -> None:
    dora.sign_up()
    cache.clear()  # one mail to an address every ten seconds, and she came later
    eve.email = dora.email
    page = eve.start_sign_up()
    assert "Check your email" in page.text
    assert "already" in mail.outbox[-1].subject.lower()
    eve.confirm(page)
    assert not eve.is_in


def test_a_half_finished_sign_up_is_led_to_a_passkey(dora: Person) -> None:
    dora.confirm(dora.start_sign_up())
    dora.client.cookies.clear()
    page = dora.confirm(dora.post("/accounts/login/", login=dora.email))
    assert page.request["PATH_INFO"] == "/welcome/"
    page = dora.make_passkey(dora.get("/accounts/2fa/webauthn/add/"))
    assert "Save your recovery codes" in page.text


def test_a_code_is_not_enough_where_there_is_a_passkey(dora: Person) -> None:
    dora.sign_up()
    dora.sign_out()
    page = dora.confirm(dora.post("/accounts/login/", login=dora.email))
    assert page.request["PATH_INFO"] == "/accounts/2fa/authenticate/"
    assert not dora.is_in
    dora.prove(page)
    assert dora.is_in


def test_sign_out_takes_a_post(dora: Person) -> None:
    dora.sign_up()
    assert "Sign out" in dora.get("/accounts/logout/").text
    assert dora.is_in
    dora.sign_out()
    assert not dora.is_in


def test_a_session_ends_by_its_age_however_much_it_is_used(
    dora: Person, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    dora.sign_up()
    real = time.time
    for days in (12, 24):
        monkeypatch.setattr(time, "time", lambda days=days: real() + days * 86400)
        session = dora.client.session
        session["used"] = days
        session.save()
        assert dora.client.get("/api/v1/me/").status_code == 200
    monkeypatch.setattr(time, "time", lambda: real() + settings.SESSION_LONGEST + 1)
    assert dora.client.get("/api/v1/me/").status_code == 401
    assert dora.get("/settings/accounts/").request["PATH_INFO"] == "/accounts/login/"
    dora.sign_in()
    assert dora.client.get("/api/v1/me/").status_code == 200


# ---------------------------------------------------------------- step-up
def test_an_old_session_is_asked_for_the_passkey_before_a_token(dora: Person, an_hour_later: Any) -> None:
    dora.sign_up()
    an_hour_later()
    page = dora.post("/settings/tokens/", name="Late", scopes=["chat"], days="7")
    assert page.request["PATH_INFO"] == "/accounts/2fa/webauthn/reauthenticate/"
    page = dora.prove(page)
    assert "Your new token" in page.text


def test_a_recovery_code_is_offered_after_the_passkey(dora: Person, an_hour_later: Any) -> None:
    dora.sign_up()
    an_hour_later()
    page = dora.get("/accounts/2fa/webauthn/add/")
    assert page.request["PATH_INFO"] == "/accounts/2fa/webauthn/reauthenticate/"
    assert "Use a recovery code" in page.text


@pytest.fixture
def half_finished(dora: Person) -> Person:
    """Signed in with a code by e-mail, and nothing else to sign in with."""
    dora.confirm(dora.start_sign_up())
    dora.client.cookies.clear()
    dora.confirm(dora.post("/accounts/login/", login=dora.email))
    return dora


@pytest.mark.parametrize("path", ["/", "/settings/tokens/", "/settings/providers/", "/structured/"])
def test_a_half_finished_account_goes_no_further_than_its_first_passkey(half_finished: Person, path: str) -> None:
    page = half_finished.get(path)
    assert page.request["PATH_INFO"] == "/welcome/"
    assert "Finish your account" in page.text
    assert "Not now" not in page.text
    half_finished.make_passkey(half_finished.get("/accounts/2fa/webauthn/add/"))
    assert half_finished.get(path).request["PATH_INFO"] == path


def test_a_half_finished_account_has_no_api(half_finished: Person) -> None:
    answer = half_finished.client.get("/api/v1/me/")
    assert (answer.status_code, answer.json()["code"]) == (403, "sign_in_method_needed")


def test_a_recovery_code_signs_out_everywhere_else_and_revokes_tokens(dora: Person) -> None:
    dora.sign_up()
    code = dora.get("/accounts/2fa/recovery-codes/download/").text.split()[-1]
    dora.post("/settings/tokens/", name="Script", scopes=["chat"], days="7")
    lost = Client(headers={"host": "localhost"})
    lost.cookies.update(dora.client.cookies)
    dora.client.cookies.clear()
    page = dora.confirm(dora.post("/accounts/login/", login=dora.email))
    page = dora.post(page.request["PATH_INFO"], code=code)
    assert "You came in with a recovery code" in page.text
    assert dora.is_in
    assert lost.get("/settings/accounts/").status_code == 302
    assert not ApiToken.objects.get().is_usable
    assert mail.outbox[-1].subject == "[Parley] A recovery code was used"


def test_without_any_factor_an_old_session_signs_in_again(half_finished: Person, an_hour_later: Any) -> None:
    dora, path = half_finished, "/accounts/2fa/webauthn/add/"
    an_hour_later()
    page = dora.post(path, name="Late", scopes=["chat"], days="7")
    assert page.request["PATH_INFO"] == "/settings/accounts/sign-in-again/"
    page = dora.post("/settings/accounts/sign-in-again/", next="/accounts/2fa/webauthn/add/")
    assert page.request["PATH_INFO"] == "/accounts/login/"
    assert not dora.is_in


# ---------------------------------------------------------------- what stays closed
@pytest.mark.parametrize("path", ["change/", "set/", "reset/", "reset/done/", "reset/key/1-a-b/"])
def test_passwords_have_no_pages(dora: Person, path: str) -> None:
    dora.sign_up()
    assert dora.get(f"/accounts/password/{path}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/accounts/email/", "/accounts/sessions/", "/accounts/2fa/", "/accounts/2fa/webauthn/"]
)
def test_what_we_show_on_one_page_leads_there(dora: Person, path: str) -> None:
    dora.sign_up()
    assert dora.get(path).request["PATH_INFO"] == "/settings/accounts/"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_next_stays_in_the_house(dora: Person, wanted: str) -> None:
    dora.sign_up()
    answer = dora.client.post("/accounts/2fa/recovery-codes/", {"next": wanted})
    assert answer["Location"] == "/"


def test_too_many_codes_asked_for_is_a_page_of_ours(dora: Person) -> None:
    for _ in range(30):
        page = dora.post("/accounts/signup/passkey/", email="not an address")
    assert page.status_code == 429
    assert "Too many tries" in page.text


def test_a_second_device_does_not_replace_the_first(dora: Person) -> None:
    dora.sign_up()
    first, dora.device = dora.device, SoftDevice()
    dora.make_passkey(dora.get("/accounts/2fa/webauthn/add/"))
    dora.sign_out()
    dora.device = first
    dora.sign_in()
    assert dora.is_in
