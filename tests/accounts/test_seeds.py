"""Seeds of second factors are their person's alone, and one that cannot be read breaks no page and lets nobody in."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator

from accounts import keyring, seeds
from tests.accounts.conftest import Person
from tests.accounts.test_security_page import PAGE
from tests.vault.strongroom import plant, seed

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_up(dora: Person) -> Person:
    dora.sign_up()
    return dora


def codes_row() -> Authenticator:
    row: Authenticator = Authenticator.objects.get(type="recovery_codes")
    return row


def plant_seed(value: str) -> None:
    row = codes_row()
    plant(row, json.dumps(row.data | {"seed": value}), "data")


def test_a_seed_is_bound_to_its_person(signed_up: Person, alice: Any) -> None:
    row = codes_row()
    codes = row.wrap().get_unused_codes()
    assert seeds.readable(row)
    copied = Authenticator.objects.create(user_id=alice.user_id, type="totp", data={"secret": keyring.encrypt("x")})
    plant(copied, "recovery_codes", "type")
    plant(copied, json.dumps(row.data), "data")
    copied.refresh_from_db()
    theirs = Authenticator.objects.get(pk=copied.pk)
    assert not seeds.readable(theirs)
    assert not set(theirs.wrap().get_unused_codes()) & set(codes)
    assert seed(copied) == seed(row), "the copy is there, as it was"


@pytest.mark.parametrize("planted", ["k1$gAAAAAnonsense", "k9$gAAAAA", "lost$", "0123456789abcdef0123456789abcdef", ""])
def test_the_pages_stay_up_and_offer_new_codes(signed_up: Person, planted: str) -> None:
    old = codes_row().wrap().get_unused_codes()
    plant_seed(planted)
    page = signed_up.get(PAGE).text
    assert "Your codes cannot be read any more" in page
    assert "Make new codes" in page
    assert signed_up.get("/accounts/2fa/recovery-codes/").request["PATH_INFO"] == PAGE, "no code is shown"
    assert signed_up.get("/accounts/2fa/recovery-codes/generate/").status_code == 200
    assert not any(codes_row().wrap().validate_code(code) for code in old)
    assert "Save your recovery codes" in signed_up.post("/accounts/2fa/recovery-codes/generate/").text
    assert seeds.readable(codes_row())


def test_a_seed_that_a_code_of_ours_made_up_is_refused(signed_up: Person) -> None:
    """Sealed under the ring, and yet for nobody."""
    plant_seed(keyring.encrypt("0" * 80))
    assert not seeds.readable(codes_row())
