"""What somebody began and did not finish: it goes after a day, and never becomes a way into somebody's account."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts import unfinished
from accounts.models import AuditEntry, IdentityProvider, Membership, User
from tests.accounts.conftest import Person
from tests.accounts.evil_issuer import Issuer
from tests.accounts.identity.conftest import Traveller, at_once
from tests.accounts.identity.test_claim_map import later
from tests.factories import make_workspace

A_DAY_LATER = timedelta(hours=24, minutes=1)


def begin(email: str = "dora@example.com") -> User:
    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, primary=True)
    return user


def after_a_day() -> int:
    return unfinished.purge(timezone.now() + A_DAY_LATER)


# ---------------------------------------------------------------- by age
def test_what_was_begun_goes_after_a_day_and_not_before(dora: Person) -> None:
    dora.start_sign_up()
    assert unfinished.purge(timezone.now() + timedelta(hours=23)) == 0
    assert after_a_day() == 1
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()
    entry = AuditEntry.objects.get(action="identity.unproven_removed")
    assert entry.data == {"email": "dora@example.com"}
    assert after_a_day() == 0


def test_whose_sign_up_was_removed_begins_anew(dora: Person) -> None:
    page = dora.start_sign_up()
    after_a_day()
    assert "That took too long" in dora.confirm(page).text
    assert not dora.is_in
    cache.clear()
    dora.sign_up()
    assert dora.is_in


def test_whose_account_is_removed_while_a_code_is_on_its_way_is_led_back(dora: Person) -> None:
    dora.start_sign_up()
    dora.client.cookies.clear()
    cache.clear()
    page = dora.post("/accounts/login/", login=dora.email)
    after_a_day()
    assert "That took too long" in dora.confirm(page).text
    assert not dora.is_in


KEPT: dict[str, Callable[[User], Any]] = {
    "a passkey": lambda user: Authenticator.objects.create(user=user, type="webauthn", data={}),
    "a proven address": lambda user: EmailAddress.objects.update(verified=True),
    "a linked account": lambda user: SocialAccount.objects.create(user=user, provider="acme", uid="dora-1"),
    "a membership": lambda user: Membership.objects.create(user=user, workspace=make_workspace()),
    "a sign-in": lambda user: User.objects.update(last_login=timezone.now()),
    "the whole installation": lambda user: User.objects.update(is_superuser=True),
}


@pytest.mark.parametrize("what", KEPT)
def test_who_has_anything_stays(db: None, what: str) -> None:
    KEPT[what](begin())
    assert after_a_day() == 0
    assert User.objects.exists()


def test_the_command_counts_and_removes(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    begin()
    User.objects.update(date_joined=timezone.now() - A_DAY_LATER)
    call_command("purge", dry_run=True)
    assert "sign-ups: 1 would go" in capsys.readouterr().out
    assert User.objects.exists()
    call_command("purge")
    assert "sign-ups: 1 gone" in capsys.readouterr().out
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_proves_the_address_at_that_moment_keeps_the_account() -> None:
    begin()
    proving, purged = threading.Event(), threading.Event()

    def prove_or_purge(number: int) -> int:
        if number:
            proving.wait(10)
            done = after_a_day()
            purged.set()
            return done
        with transaction.atomic():
            EmailAddress.objects.update(verified=True)
            proving.set()
            purged.wait(1)
        return 0

    assert at_once(2, prove_or_purge, 2) == [0, 0]
    assert User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_several_processes_remove_each_once() -> None:
    for number in range(20):
        begin(f"p{number}@example.com")
    assert sum(at_once(4, lambda _: after_a_day(), 4)) == 20
    assert AuditEntry.objects.filter(action="identity.unproven_removed").count() == 20


# ---------------------------------------------------------------- what somebody else left in it
def begin_as_dora(eve: Traveller, issuer: Issuer) -> None:
    """Eve's account at the issuer claims Dora's address, which the issuer has not verified."""
    issuer.person = {"sub": "eve-1", "email": "dora@example.com", "email_verified": False}
    assert eve.travel(issuer).request["PATH_INFO"] == "/accounts/confirm-email/"
    assert SocialAccount.objects.get().uid == "eve-1"
    cache.clear()


def test_who_proves_an_address_does_not_inherit_another_persons_link(
    dora: Traveller, eve: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    begin_as_dora(eve, issuer)
    dora.confirm(dora.post("/accounts/login/", login=dora.email))
    assert dora.email_of_session == "dora@example.com"
    assert not SocialAccount.objects.exists()
    assert AuditEntry.objects.get(action="identity.unproven_removed").data["subject"] == "eve-1"
    for path in ("/accounts/confirm-email/", "/accounts/login/", "/"):
        eve.get(path)
        assert not eve.is_in
    cache.clear()
    eve.travel(issuer)
    assert not eve.is_in


def test_an_operator_who_adds_the_address_adds_its_owner(
    eve: Traveller, issuer: Issuer, acme: IdentityProvider
) -> None:
    begin_as_dora(eve, issuer)
    call_command("create_member", "dora@example.com")
    eve.travel(issuer)
    assert not eve.is_in
    assert not SocialAccount.objects.exists()


def test_who_takes_long_to_type_the_code_keeps_the_way_they_came(
    dora: Traveller, issuer: Issuer, acme: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.person |= {"email_verified": False}
    page = dora.travel(issuer)
    later(monkeypatch, minutes=10)
    dora.confirm(page)
    assert dora.is_in
    assert SocialAccount.objects.get().uid == "dora-1"
