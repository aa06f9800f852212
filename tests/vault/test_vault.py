"""Everything sealed is found, counted, moved to a new key and given up; nothing else in the database is sealed."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from accounts import keyring, sealing, vault
from accounts.fields import StrictEncryptedTextField
from accounts.keyring import DecryptionFailed
from accounts.policies import Actor
from providers import credentials
from tests.vault import strongroom
from tests.vault.strongroom import KEY, fill, new_key, plant, seed, stored

pytestmark = pytest.mark.django_db

SEALED = re.compile(r"[A-Za-z0-9]+\$gAAAA[\w-]+=*")
PLACES = {
    "mfa.Authenticator.data",
    "accounts.IdentityProvider.secret",
    "providers.Credential.secret",
    "chat.McpServer.secret",
}


@pytest.fixture
def room(alice: Actor) -> dict[str, Any]:
    return fill(alice)


def sealed_in_the_database() -> list[str]:
    """Every sealed value of every table, wherever it stands."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            found += [value for row in cursor.fetchall() for cell in row for value in SEALED.findall(str(cell))]
    return found


def counted() -> int:
    return sum(sum(vault.examine(place).under.values()) for place in vault.places())


# ---------------------------------------------------------------- finding
def test_the_vault_knows_every_strict_column_of_every_model() -> None:
    strict = {
        f"{model._meta.label}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.get_fields()
        if isinstance(column, StrictEncryptedTextField)
    }
    assert strict | {"mfa.Authenticator.data"} == {place.label for place in vault.places()}
    assert strict >= PLACES - {"mfa.Authenticator.data"}


def test_every_model_with_a_strict_column_says_what_its_secret_is_bound_to() -> None:
    for place in vault.places():
        if place.inside is None:
            assert isinstance(getattr(place.model, "sealed_for", None), property), place.label


def test_no_model_seals_with_a_column_that_the_vault_does_not_know() -> None:
    others = [
        f"{model._meta.label}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.get_fields()
        if isinstance(column, models.Field)
        and type(column).__module__.startswith("encrypted_fields")
        and not isinstance(column, StrictEncryptedTextField)
    ]
    assert others == []


def test_whatever_is_sealed_in_any_table_is_counted(room: dict[str, Any]) -> None:
    assert len(sealed_in_the_database()) == len(room) == counted()


# ---------------------------------------------------------------- looking
def test_a_healthy_vault_has_no_unreadable_row(room: dict[str, Any]) -> None:
    findings = [vault.examine(place) for place in vault.places()]
    assert [found.unreadable for found in findings] == [[]] * len(findings)
    assert {name for found in findings for name in found.under} == {"k1"}
    assert vault.refusal() == ""


def test_a_row_that_does_not_open_is_named_and_stops_nobody(room: dict[str, Any], bob: Actor) -> None:
    credentials.save(bob, provider_id="openai", secret=KEY, shared=False)
    plant(room["credential"], "k1$gAAAAAnonsense")
    (found,) = [vault.examine(place) for place in vault.places() if place.label == "providers.Credential.secret"]
    assert found.unreadable == [room["credential"].pk]
    assert vault.refusal() == ""


@pytest.mark.parametrize("kind", ["credential", "provider", "mcp"])
def test_a_secret_of_another_row_is_refused_and_named(room: dict[str, Any], charlie: Actor, kind: str) -> None:
    theirs = fill(charlie)[kind]
    plant(theirs, stored(room[kind]))
    theirs.refresh_from_db()
    with pytest.raises(DecryptionFailed):
        sealing.unseal(theirs, theirs.secret)
    named = [found.unreadable for found in map(vault.examine, vault.places()) if found.unreadable]
    assert named == [[theirs.pk]]


@pytest.mark.parametrize("kind", ["provider", "mcp"])
def test_a_secret_is_not_sent_to_an_address_that_it_was_not_entered_for(room: dict[str, Any], kind: str) -> None:
    row, column = room[kind], {"provider": "issuer", "mcp": "url"}[kind]
    plant(row, "https://evil.example", column)
    row.refresh_from_db()
    with pytest.raises(DecryptionFailed):
        sealing.unseal(row, row.secret)


# ---------------------------------------------------------------- moving
def test_a_rotation_moves_everything_and_every_value_stays(room: dict[str, Any], settings: Any) -> None:
    old = settings.FIELD_KEYRING
    codes = room["codes"].wrap().get_unused_codes()
    settings.FIELD_KEYRING = f"{new_key('k2')},{old}"
    done = [vault.rotate(place) for place in vault.places()]
    assert sum(one.moved for one in done) == len(room)
    assert all(value.startswith("k2$") for value in sealed_in_the_database())
    settings.FIELD_KEYRING = settings.FIELD_KEYRING.partition(",")[0]
    assert credentials.open_stored(room["credential"].pk)[1].reveal() == KEY
    for kind in ("codes", "totp"):
        room[kind].refresh_from_db()
    assert room["codes"].wrap().get_unused_codes() == codes
    settings.FIELD_KEYRING = old
    with pytest.raises(DecryptionFailed):
        credentials.open_stored(room["credential"].pk)


def test_what_is_written_meanwhile_is_kept(room: dict[str, Any], settings: Any) -> None:
    settings.FIELD_KEYRING = f"{new_key('k2')},{settings.FIELD_KEYRING}"
    (place,) = [place for place in vault.places() if place.label == "mfa.Authenticator.data"]
    for batch in vault._batches(place):
        fresh = list(vault._resealed(batch, place))
        room["codes"].data["used_mask"] = 5
        room["codes"].save()
        assert vault._store(place, fresh) == 1, "the row that was not touched"
    assert seed(room["codes"]).startswith("k1$")
    assert vault.rotate(place).moved == 1
    room["codes"].refresh_from_db()
    assert room["codes"].data["used_mask"] == 5


def test_more_rows_than_a_batch_are_moved(room: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "BATCH", 1)
    settings.FIELD_KEYRING = f"{new_key('k2')},{settings.FIELD_KEYRING}"
    assert sum(vault.rotate(place).moved for place in vault.places()) == len(room)


def test_what_cannot_be_read_stays_as_it_is(room: dict[str, Any], settings: Any) -> None:
    plant(room["credential"], "k1$gAAAAAnonsense")
    settings.FIELD_KEYRING = f"{new_key('k2')},{settings.FIELD_KEYRING}"
    done = [vault.rotate(place) for place in vault.places()]
    assert (sum(one.moved for one in done), sum(one.unreadable for one in done)) == (len(room) - 1, 1)
    assert stored(room["credential"]) == "k1$gAAAAAnonsense"


# ---------------------------------------------------------------- refusing
def test_a_ring_without_the_key_of_what_is_stored_is_refused(room: dict[str, Any], settings: Any) -> None:
    settings.FIELD_KEYRING = new_key("k7")
    refusal = vault.refusal()
    for label in PLACES:
        assert f"{label} has values under the key k1" in refusal


def test_another_key_under_the_same_name_is_refused(room: dict[str, Any], settings: Any) -> None:
    settings.FIELD_KEYRING = new_key("k1")
    refusal = vault.refusal()
    for label in PLACES:
        assert f"the key k1 opens nothing in {label}" in refusal
    assert settings.FIELD_KEYRING not in refusal


def test_what_is_given_up_refuses_nobody_and_opens_nowhere(room: dict[str, Any], settings: Any) -> None:
    settings.FIELD_KEYRING = new_key("k7")
    assert sum(vault.give_up("k1").values()) == len(room)
    assert vault.refusal() == ""
    assert counted() == 0
    with pytest.raises(DecryptionFailed):
        credentials.open_stored(room["credential"].pk)


def test_an_empty_database_is_served_with_any_ring(db: None, settings: Any) -> None:
    settings.FIELD_KEYRING = new_key("k7")
    assert vault.refusal() == ""


@pytest.mark.parametrize("ring", ["lost:x", f"lost:{43 * 'A'}="])
def test_no_ring_holds_a_key_that_is_called_lost(ring: str) -> None:
    with pytest.raises(ValueError, match=r"lost|Fernet"):
        keyring.ring(ring)


def test_a_workspace_with_an_unreadable_secret_can_be_removed(room: dict[str, Any], alice: Actor) -> None:
    from accounts.models import Workspace
    from providers.models import Credential

    for kind in ("credential", "mcp"):
        plant(room[kind], "k9$nonsense")
    Workspace.objects.get(pk=alice.workspace_id).delete()
    assert not Credential.objects.exists()
    assert strongroom.McpServer.objects.count() == 0
