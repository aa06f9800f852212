"""Many at once: nobody becomes an administrator by coming first, and limits hold."""

import threading
from collections import Counter
from typing import Any

import pytest
from allauth.account import forms
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.webauthn.internal import auth
from django.test import Client

from accounts.models import Membership, User
from tests.accounts.conftest import HOST, Person
from tests.accounts.device import SoftDevice
from tests.accounts.evil_issuer import Issuer
from tests.accounts.identity.conftest import Traveller, at_once, make_provider

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_fifty_first_sign_ups_none_is_an_administrator(issuer: Issuer) -> None:
    make_provider(issuer)
    turn = threading.Lock()

    def arrive(number: int) -> int:
        person = Traveller(Client(headers={"host": HOST}, REMOTE_ADDR=f"192.0.2.{number}"), SoftDevice())
        with turn:  # the issuer has one person at a time; ours are many
            issuer.person = {"sub": f"p{number}", "email": f"p{number}@example.com", "email_verified": True}
            back = issuer.authorize(person.leave())
        status: int = person.come_back(back).status_code
        return status

    assert Counter(at_once(8, arrive, 50)) == {200: 50}
    assert User.objects.count() == 50
    assert not User.objects.filter(is_staff=True).exists()
    assert not User.objects.filter(is_superuser=True).exists()
    assert set(Membership.objects.values_list("role", flat=True)) == {"member"}
    assert Membership.objects.values("workspace").distinct().count() == 1


def test_two_hundred_wrong_passkeys_behind_forged_addresses_stay_under_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached = counting(monkeypatch, auth, "complete_authentication")
    victim = User.objects.create_user("victim@example.com")
    device = SoftDevice(user_handle=_handle_of(victim))

    def guess(number: int) -> int:
        client = Client(headers={"host": HOST, "X-Forwarded-For": f"203.0.113.{number}", "Forwarded": "for=1.2.3.4"})
        client.cookies.load(challenged)
        sent = device.get(asked)
        return client.post("/accounts/2fa/webauthn/login/", {"credential": sent}).status_code

    first = Client(headers={"host": HOST})
    asked = first.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()["request_options"]
    challenged = {name: morsel.value for name, morsel in first.cookies.items()}
    answers = Counter(at_once(10, guess, 200))
    assert len(reached) <= 10
    assert answers[429] >= 190
    assert set(answers) <= {200, 302, 429}


@pytest.mark.parametrize("at", ["sign-in", "sign-up"])
def test_two_hundred_wrong_codes_behind_forged_addresses_are_compared_three_times(
    monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    compared = counting(monkeypatch, forms, "compare_user_code")
    dora = Person(Client(headers={"host": HOST}), SoftDevice())
    if at == "sign-in":
        dora.sign_up()
        dora.sign_out()
    page = dora.post("/accounts/login/", login=dora.email) if at == "sign-in" else dora.start_sign_up()
    compared.clear()
    answers = guess_together(dora.client, page.request["PATH_INFO"], "000000")
    assert len(compared) <= 3
    assert set(answers) <= {200, 302, 429}  # the others find the sign-in called off
    assert not dora.is_in


def test_two_hundred_wrong_recovery_codes_behind_forged_addresses_stay_under_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dora = Person(Client(headers={"host": HOST}), SoftDevice())
    dora.sign_up()
    dora.sign_out()
    page = dora.confirm(dora.post("/accounts/login/", login=dora.email))
    assert page.request["PATH_INFO"] == "/accounts/2fa/authenticate/"
    compared = counting(monkeypatch, RecoveryCodes, "validate_code")
    guess_together(dora.client, page.request["PATH_INFO"], "00000-00000")
    assert 0 < len(compared) <= 5
    assert not dora.is_in


def counting(monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> list[int]:
    """Grows by one with each call of `place.name`, which goes on working."""
    reached: list[int] = []
    real = getattr(place, name)

    def count(*args: Any, **named: Any) -> Any:
        reached.append(1)
        return real(*args, **named)

    monkeypatch.setattr(place, name, count)
    return reached


def guess_together(client: Client, path: str, code: str) -> Counter[int]:
    """Two hundred posts of one session, ten at a time, each behind another address; how they were answered."""
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}

    def guess(number: int) -> int:
        own = Client(headers={"host": HOST, "X-Forwarded-For": f"203.0.113.{number}", "Forwarded": "for=1.2.3.4"})
        own.cookies.load(cookies)
        return own.post(path, {"code": code}).status_code

    return Counter(at_once(10, guess, 200))


def _handle_of(user: User) -> str:
    from fido2.utils import websafe_encode

    return websafe_encode(auth.build_user_payload(user).id)
