"""One's own ways in, sessions and tokens over the API: what a token may, and what takes somebody at a browser."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from accounts.models import ApiToken, AuditEntry, IdentityProvider, User
from tests.accounts.conftest import Person
from tests.accounts.device import SoftDevice

ME = "/api/v1/me/"


def made_token(person: Person, *scopes: str) -> dict[str, str]:
    page = person.client.post(f"{ME}api-tokens/", {"name": "Script", "scopes": scopes}, "application/json")
    assert page.status_code == 201, page.text
    return {"Authorization": f"Bearer {page.json()['token']}"}


def results(person: Person, what: str) -> list[dict[str, Any]]:
    return list(person.client.get(f"{ME}{what}/").json()["results"])


@pytest.fixture
def dora(dora: Person) -> Person:
    """Signed up a moment ago, with one passkey."""
    dora.sign_up()
    mail.outbox.clear()
    return dora


def second_passkey(person: Person) -> None:
    person.device = SoftDevice()
    person.make_passkey(person.get("/accounts/2fa/webauthn/add/"))


def test_a_passkey_is_listed_renamed_and_removed_and_the_last_one_stays(dora: Person) -> None:
    [key] = results(dora, "passkeys")
    assert (key["name"], key["last_way_in"]) == ("Laptop", True)
    address = f"{ME}passkeys/{key['id']}/"
    refused = dora.client.delete(address)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_method")
    assert dora.client.patch(address, {"name": "Desk"}, "application/json").json()["name"] == "Desk"
    second_passkey(dora)
    assert [one["last_way_in"] for one in results(dora, "passkeys")] == [False, False]
    mail.outbox.clear()
    assert dora.client.delete(address).status_code == 204
    assert [one["name"] for one in results(dora, "passkeys")] == ["Laptop"]
    assert len(mail.outbox) == 1
    assert AuditEntry.objects.filter(action="identity.factor_removed", who=dora.email).count() == 1


def test_a_linked_account_is_listed_and_unlinked(dora: Person) -> None:
    IdentityProvider.objects.create(
        slug="acme", name="Acme", issuer="https://acme.example", client_id="c", enabled=True
    )
    SocialAccount.objects.create(
        user=User.objects.get(), provider="acme", uid="1", extra_data={"email": "d@acme.example"}
    )
    [linked] = results(dora, "linked-accounts")
    assert (linked["name"], linked["email"], linked["last_way_in"]) == ("Acme", "d@acme.example", False)
    assert dora.client.delete(f"{ME}linked-accounts/{linked['id']}/").status_code == 204
    assert results(dora, "linked-accounts") == []
    assert "unlinked" in mail.outbox[0].subject


def test_sessions_are_listed_and_ended_one_by_one_and_all_others(dora: Person) -> None:
    others = []
    for _ in range(2):
        other = Person(Client(headers={"host": "localhost"}), dora.device)
        other.sign_in()
        others.append(other)
    found = results(dora, "sessions")
    assert [one["current"] for one in found] == [True, False, False]
    assert found[1]["signed_in_by"] == "passkey"
    assert dora.client.delete(f"{ME}sessions/{found[1]['id']}/").status_code == 204
    assert sum(other.client.get(ME).status_code == 200 for other in others) == 1
    assert dora.client.delete(f"{ME}sessions/").status_code == 204
    assert [other.client.get(ME).status_code for other in others] == [401, 401]
    assert len(results(dora, "sessions")) == 1


def test_a_tokens_text_is_told_once(dora: Person) -> None:
    header = made_token(dora, "account")
    assert header["Authorization"].startswith("Bearer parley_pat_")
    [listed] = results(dora, "api-tokens")
    assert "token" not in listed
    assert listed["scopes"] == ["account"]


def test_a_token_reads_and_ends_and_makes_no_way_in(dora: Person) -> None:
    header = made_token(dora, "account")
    second_passkey(dora)
    client = Client(headers=header)
    key, token = results(dora, "passkeys")[0]["id"], ApiToken.objects.get()
    for what in ("passkeys", "linked-accounts", "sessions", "api-tokens"):
        assert client.get(f"{ME}{what}/").status_code == 200
    for answer in (
        client.delete(f"{ME}passkeys/{key}/"),
        client.patch(f"{ME}passkeys/{key}/", {"name": "Mine"}, "application/json"),
        client.post(f"{ME}api-tokens/", {"name": "More", "scopes": ["chat"]}, "application/json"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "session_needed")
    assert Authenticator.objects.filter(type="webauthn").count() == 2
    assert client.delete(f"{ME}sessions/").status_code == 204
    assert not UserSession.objects.exists()
    assert client.delete(f"{ME}api-tokens/{token.pk}/").status_code == 204
    assert client.get(f"{ME}sessions/").json()["code"] == "token_revoked"


def test_another_scope_is_not_enough(dora: Person) -> None:
    client = Client(headers=made_token(dora, "chat", "workspace"))
    for what in ("passkeys", "linked-accounts", "sessions", "api-tokens"):
        assert client.get(f"{ME}{what}/").json()["code"] == "scope_missing"


def test_an_old_session_proves_itself_first(dora: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    second_passkey(dora)
    key = results(dora, "passkeys")[0]["id"]
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    for answer in (
        dora.client.delete(f"{ME}passkeys/{key}/"),
        dora.client.patch(f"{ME}passkeys/{key}/", {"name": "Mine"}, "application/json"),
        dora.client.post(f"{ME}api-tokens/", {"name": "More", "scopes": ["chat"]}, "application/json"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "proof_needed")
    assert not ApiToken.objects.exists()
