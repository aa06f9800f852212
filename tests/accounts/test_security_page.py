"""The page about a person's passkeys, recovery codes and sessions, and what nobody may do there."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.devices import describe
from accounts.models import ApiToken, User
from tests.accounts.conftest import HOST, Person
from tests.accounts.device import SoftDevice

PAGE = "/settings/accounts/"


def keys_of(person: Person) -> list[int]:
    own = Authenticator.objects.filter(user__email=person.email, type="webauthn").order_by("pk")
    return list(own.values_list("pk", flat=True))


def remove(person: Person, pk: int) -> str:
    page: str = person.post(f"/accounts/2fa/webauthn/keys/{pk}/remove/").text
    return page


@pytest.fixture
def two_keys(dora: Person) -> Person:
    dora.sign_up()
    dora.device = SoftDevice()
    dora.make_passkey(dora.get("/accounts/2fa/webauthn/add/"))
    return dora


def test_the_page_shows_how_and_where_a_person_is_signed_in(two_keys: Person) -> None:
    page = two_keys.get(PAGE).text
    assert page.count("Rename<span") == 2
    assert "dora@example.com" in page
    assert "10 codes left" in page
    assert "this session" in page


def test_the_last_passkey_cannot_be_removed_by_a_forged_post(two_keys: Person) -> None:
    first, second = keys_of(two_keys)
    assert "The passkey is removed." in remove(two_keys, first)
    assert "it stays" in remove(two_keys, second)
    assert keys_of(two_keys) == [second]
    assert Authenticator.objects.filter(type="recovery_codes").exists()


def test_a_key_that_cannot_sign_in_alone_does_not_count(two_keys: Person) -> None:
    first, second = keys_of(two_keys)
    plain = Authenticator.objects.get(pk=first)
    plain.data["credential"]["clientExtensionResults"] = {"credProps": {"rk": False}}
    plain.save()
    assert "it stays" in remove(two_keys, second)
    assert "The passkey is removed." in remove(two_keys, first)


def test_a_passkey_of_somebody_else_is_not_there(two_keys: Person, eve: Person) -> None:
    eve.sign_up()
    pk = keys_of(two_keys)[0]
    assert eve.get(f"/accounts/2fa/webauthn/keys/{pk}/edit/").status_code == 404
    assert eve.client.post(f"/accounts/2fa/webauthn/keys/{pk}/remove/").status_code == 404
    assert len(keys_of(two_keys)) == 2


def test_a_passkey_is_renamed(two_keys: Person) -> None:
    path = f"/accounts/2fa/webauthn/keys/{keys_of(two_keys)[0]}/edit/"
    assert "Blue key" in two_keys.post(path, name="Blue key").text
    assert "at most 60" in two_keys.post(path, name="x" * 61).text


def test_its_owner_hears_of_a_new_and_of_a_removed_passkey(two_keys: Person) -> None:
    remove(two_keys, keys_of(two_keys)[0])
    subjects = [one.subject for one in mail.outbox]
    assert len([one for one in subjects if "passkey" in one]) == 2, subjects


def test_recovery_codes_are_shown_until_saved_and_stored_sealed(dora: Person) -> None:
    dora.sign_up()
    shown = dora.get("/accounts/2fa/recovery-codes/").text
    download = dora.get("/accounts/2fa/recovery-codes/download/")
    assert "attachment" in download["Content-Disposition"]
    codes = download.text.splitlines()[-10:]
    assert all(code in shown for code in codes)
    assert not any(code in str(list(Authenticator.objects.values())) for code in codes)
    dora.post("/accounts/2fa/recovery-codes/")
    assert dora.get("/accounts/2fa/recovery-codes/").request["PATH_INFO"] == PAGE
    assert dora.get("/accounts/2fa/recovery-codes/download/").status_code == 404


def test_new_recovery_codes_replace_the_old_ones(dora: Person) -> None:
    dora.sign_up()
    old = dora.get("/accounts/2fa/recovery-codes/download/").text
    assert "The 10 codes you have left stop working" in dora.get("/accounts/2fa/recovery-codes/generate/").text
    page = dora.post("/accounts/2fa/recovery-codes/generate/")
    assert "Save your recovery codes" in page.text
    assert dora.get("/accounts/2fa/recovery-codes/download/").text != old


def test_other_sessions_end(dora: Person) -> None:
    dora.sign_up()
    elsewhere = Person(Client(headers={"host": HOST}), dora.device)
    elsewhere.sign_in()
    assert dora.get(PAGE).text.count("this session") == 1
    dora.post("/settings/accounts/sessions/end-others/")
    assert not elsewhere.is_in
    assert dora.is_in


def test_one_session_ends_and_a_foreign_one_is_not_there(dora: Person, eve: Person) -> None:
    dora.sign_up()
    eve.sign_up()
    foreign = UserSession.objects.get(user__email=eve.email)
    assert dora.client.post(f"/settings/accounts/sessions/{foreign.pk}/end/").status_code == 404
    assert eve.is_in
    dora.client.post(f"/settings/accounts/sessions/{UserSession.objects.get(user__email=dora.email).pk}/end/")
    assert not dora.is_in


def test_a_token_is_made_shown_once_and_revoked(dora: Person) -> None:
    dora.sign_up()
    page = dora.post("/settings/tokens/", name="Report", scopes=["chat"], days="7")
    assert page.text.count('id="new-token"') == 1
    token = ApiToken.objects.get()
    assert 'id="new-token"' not in dora.get("/settings/tokens/").text
    dora.post(f"/settings/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert not token.is_usable


@pytest.mark.parametrize("wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["root"]}, {"days": "4000"}])
def test_a_token_form_with_a_mistake_makes_nothing(dora: Person, wrong: dict[str, object]) -> None:
    dora.sign_up()
    dora.post("/settings/tokens/", **({"name": "Report", "scopes": ["chat"], "days": "7"} | wrong))
    assert not ApiToken.objects.exists()


def test_a_token_of_somebody_else_is_not_there(dora: Person, eve: Person) -> None:
    dora.sign_up()
    dora.post("/settings/tokens/", name="Report", scopes=["chat"], days="7")
    eve.sign_up()
    token = ApiToken.objects.get()
    assert eve.client.post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    assert "Report" not in eve.get("/settings/tokens/").text


@pytest.mark.parametrize("path", [PAGE, "/settings/tokens/", "/welcome/", "/accounts/2fa/recovery-codes/"])
def test_strangers_are_sent_to_sign_in_and_brought_back(dora: Person, path: str) -> None:
    assert dora.client.get(path)["Location"] == f"/accounts/login/?next={path}"
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) (KHTML, like Gecko) Chrome/156.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iOS",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:148.0) Gecko/20100101 Firefox/148.0", "Firefox on Windows"),
        ("curl/8.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_a_few_words(header: str, words: str) -> None:
    assert describe(header) == words


def test_sessions_that_have_ended_go_with_the_addresses_they_came_from(dora: Person, eve: Person) -> None:
    dora.sign_up()
    eve.sign_up()
    Session.objects.filter(session_key=dora.client.session.session_key).update(expire_date=timezone.now())
    assert sessions.purge() == 1
    assert [one.user.email for one in UserSession.objects.all()] == [eve.email]
    assert eve.get(PAGE).status_code == 200
    assert sessions.purge() == 0
