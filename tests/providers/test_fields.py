"""The column that holds secrets: it opens under its own key or not at all, and nothing reads it by accident."""

import copy
import io
import json
import pickle
import threading
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection, models
from django.forms import modelform_factory
from rest_framework.serializers import ModelSerializer

from accounts.fields import StrictEncryptedTextField
from accounts.keyring import DecryptionFailed
from accounts.policies import Actor
from accounts.secrets import MASK, Secret
from providers import credentials
from providers.models import Credential

CANARY = "sk-proj-canaryCanaryCANARYcanary0000fields4f2a"
# Deliberately not one of the ring's own.
OTHER_KEY = Fernet.generate_key().decode()

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(alice: Actor) -> Credential:
    return credentials.save(alice, provider_id="openai", secret=CANARY, shared=False)


def column(row: Credential) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM providers_credential")
        return str(cursor.fetchone()[0])


def plant(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE providers_credential SET secret = %s", [value])


def read() -> Any:
    return Credential.objects.defer(None).get().secret


def test_the_database_holds_a_key_id_and_a_token_and_not_the_key(stored: Credential) -> None:
    kept = column(stored)
    assert kept.startswith("k1$gAAAA")
    assert CANARY not in kept


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(CANARY, id="plain text"),
        pytest.param("gAAAAABplain", id="a token without a key id"),
        pytest.param("k9$gAAAAABx", id="an unknown key id"),
        pytest.param("k1$gAAAAABx", id="a cut token"),
        pytest.param("k1$", id="nothing"),
        pytest.param("$", id="a separator"),
        pytest.param("", id="an empty text"),
        pytest.param("k1$é", id="not even ASCII"),
    ],
)
def test_what_does_not_open_raises_and_shows_none_of_its_bytes(stored: Credential, planted: str) -> None:
    plant(planted)
    with pytest.raises(DecryptionFailed) as failed:
        read()
    assert CANARY not in repr(failed.value)
    assert "gAAAA" not in repr(failed.value)


def test_one_changed_character_is_noticed(stored: Credential) -> None:
    kept = column(stored)
    middle = len(kept) // 2
    plant(kept[:middle] + ("A" if kept[middle] != "A" else "B") + kept[middle + 1 :])
    with pytest.raises(DecryptionFailed):
        read()


def test_the_wrong_key_under_the_right_name_opens_nothing(stored: Credential, settings: Any) -> None:
    settings.FIELD_KEYRING = f"k1:{OTHER_KEY}"
    with pytest.raises(DecryptionFailed):
        read()


def test_an_older_key_of_the_ring_still_opens_and_the_first_one_encrypts(stored: Credential, settings: Any) -> None:
    settings.FIELD_KEYRING = f"k2:{OTHER_KEY},{settings.FIELD_KEYRING}"
    secret = read()
    assert json.loads(secret.reveal())[1] == CANARY
    stored.secret = secret
    stored.save()
    assert column(stored).startswith("k2$")


def test_a_list_of_rows_never_reads_a_secret(stored: Credential) -> None:
    plant("k9$nonsense")
    assert [row.hint for row in Credential.objects.all()] == ["sk-proj-…4f2a"]


@pytest.mark.parametrize("lookup", ["secret", "secret__in", "secret__contains", "secret__startswith", "secret__length"])
def test_nobody_searches_by_secret(lookup: str) -> None:
    with pytest.raises(FieldError):
        list(Credential.objects.filter(**{lookup: [CANARY] if lookup.endswith("in") else CANARY}))
    with pytest.raises(FieldError):
        list(Credential.objects.exclude(**{lookup: CANARY}))


def test_whether_there_is_a_secret_may_be_asked(stored: Credential) -> None:
    assert Credential.objects.filter(secret__isnull=False).count() == 1


def test_an_empty_secret_is_refused_and_so_is_what_is_no_text(stored: Credential) -> None:
    for nonsense in ("", b"bytes", 7, 0, False):
        stored.secret = nonsense  # type: ignore[assignment]
        with pytest.raises((ValueError, TypeError)):
            stored.save()


def test_a_loaded_secret_does_not_pickle_and_survives_a_copy() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))
    assert copy.deepcopy(Secret(CANARY)) == Secret(CANARY)


def test_a_row_with_its_secret_loaded_does_not_pickle(stored: Credential) -> None:
    row = Credential.objects.defer(None).get()
    with pytest.raises(TypeError):
        pickle.dumps(row)


def test_dumps_and_serialisers_show_a_mask_even_for_a_row_that_does_not_open(stored: Credential) -> None:
    dump = io.StringIO()
    call_command("dumpdata", "providers", stdout=dump)
    assert json.loads(dump.getvalue())[0]["fields"]["secret"] == MASK
    plant("k9$nonsense")
    assert MASK in serializers.serialize("json", Credential.objects.all())


def test_a_dump_that_is_loaded_again_opens_nothing(stored: Credential) -> None:
    dump = serializers.serialize("json", Credential.objects.all())
    for loaded in serializers.deserialize("json", dump):
        loaded.save()
    with pytest.raises(DecryptionFailed):
        credentials.open_stored(stored.pk)


def test_rest_framework_and_model_forms_cannot_show_it(stored: Credential) -> None:
    everything = type("Meta", (), {"model": Credential, "fields": "__all__"})
    shown = type("Everything", (ModelSerializer,), {"Meta": everything})(Credential.objects.defer(None).get()).data
    assert CANARY not in json.dumps(shown, default=str)
    assert "secret" not in modelform_factory(Credential, fields="__all__").base_fields


def test_a_secret_column_that_is_unique_or_indexed_fails_the_system_checks() -> None:
    class Wrong(models.Model):  # noqa: DJ008 - never stored
        secret = StrictEncryptedTextField(unique=True)

        class Meta:
            app_label = "tests"

    found = Wrong._meta.get_field("secret").check()
    assert [problem.id for problem in found] == ["accounts.E001"]


def test_the_keys_that_the_package_derives_from_the_secret_key_are_never_made() -> None:
    field = Credential._meta.get_field("secret")
    for name in ("keys", "f"):
        with pytest.raises(RuntimeError):
            getattr(field, name)


def test_reading_while_others_clean_the_same_field_is_never_wrong(stored: Credential) -> None:
    field: Any = Credential._meta.get_field("secret")
    kept, stop, found = column(stored), threading.Event(), set[str]()

    def clean() -> None:
        while not stop.is_set():
            field.clean("another", None)

    def check() -> None:
        for _ in range(1500):
            found.add(json.loads(field.from_db_value(kept, None, None).reveal())[1])

    cleaners = [threading.Thread(target=clean) for _ in range(2)]
    readers = [threading.Thread(target=check) for _ in range(2)]
    for thread in [*cleaners, *readers]:
        thread.start()
    for thread in readers:
        thread.join()
    stop.set()
    for thread in cleaners:
        thread.join()
    assert found == {CANARY}
