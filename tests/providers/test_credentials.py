"""Keeping, choosing, opening and removing credentials; alice owns, bob shares the workspace, charlie is outside."""

import json
from typing import Any

import pytest
from django.db import connection

from accounts.keyring import DecryptionFailed
from accounts.models import Role
from accounts.policies import Actor
from accounts.problems import Problem
from providers import credentials, registry
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential
from tests.factories import make_actor

KEY = "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaaa4f2a"
OTHER = "sk-proj-bbbbbbbbbbbbbbbbbbbbbbbbbbbb9c1e"

pytestmark = pytest.mark.django_db


def keep(actor: Actor, secret: str = KEY, **over: Any) -> Credential:
    values = {"provider_id": "openai", "secret": secret, "shared": False} | over
    return credentials.save(actor, **values)


def sources_of(actor: Actor) -> list[tuple[str, str]]:
    return [(one.source, one.hint) for one in credentials.descriptors(actor)]


# ---------------------------------------------------------------- whose
def test_one_s_own_and_the_workspace_s_keys_are_seen_and_nobody_else_s(
    alice: Actor, bob: Actor, charlie: Actor
) -> None:
    keep(alice, shared=True)
    keep(alice, OTHER)
    keep(bob, "sk-proj-cccccccccccccccccccccccccccc0b0b")
    assert sorted(sources_of(alice)) == [("own", "sk-proj-…9c1e"), ("workspace", "sk-proj-…4f2a")]
    assert sorted(sources_of(bob)) == [("own", "sk-proj-…0b0b"), ("workspace", "sk-proj-…4f2a")]
    assert sources_of(charlie) == []


def test_a_person_s_key_stays_in_the_workspace_it_was_given_to(alice: Actor, charlie: Actor) -> None:
    keep(alice)
    elsewhere = Actor(alice.user_id, charlie.workspace_id, Role.MEMBER)
    assert sources_of(elsewhere) == []


def test_the_installation_s_keys_come_after_the_stored_ones(alice: Actor, settings: Any) -> None:
    settings.PROVIDER_KEYS = {"openai": OTHER}
    keep(alice)
    assert sources_of(alice) == [("own", "sk-proj-…4f2a"), ("environment", "sk-proj-…9c1e")]


def test_the_sandbox_stands_in_where_the_installation_has_no_key(alice: Actor, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    settings.PROVIDER_KEYS = {"openai": KEY}
    refs = [one.ref for one in credentials.descriptors(alice)]
    others = [provider.provider_id for provider in registry.available() if provider.provider_id != "openai"]
    assert refs == ["environment:openai", *(f"sandbox:{name}" for name in others)]


def test_a_server_without_a_key_is_connected_by_its_address_alone(alice: Actor, settings: Any) -> None:
    settings.PROVIDER_BASE_URLS = {"openai_compatible": "http://127.0.0.1:8080/v1"}
    assert [one.ref for one in credentials.descriptors(alice)] == ["environment:openai_compatible"]
    opened = credentials.open_ref("environment:openai_compatible")
    assert (opened.secret.reveal(), opened.base_url) == ("none", "http://127.0.0.1:8080/v1")


def test_choosing_costs_one_query_and_reads_no_secret(alice: Actor, django_assert_num_queries: Any) -> None:
    keep(alice)
    keep(alice, OTHER, shared=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE providers_credential SET secret = 'k9$broken'")
    with django_assert_num_queries(1):
        assert len(credentials.descriptors(alice)) == 2


# ---------------------------------------------------------------- keeping
def test_a_second_key_replaces_the_first_and_forgets_its_check(alice: Actor) -> None:
    first = keep(alice)
    Credential.objects.update(state="working", latency_ms=12)
    second = keep(alice, OTHER)
    assert second.pk == first.pk
    row = Credential.objects.get()
    assert (row.hint, row.state, row.latency_ms) == ("sk-proj-…9c1e", "unchecked", None)
    assert credentials.open_ref(f"credential:{row.pk}").secret.reveal() == OTHER


def test_the_same_key_has_the_same_fingerprint_and_another_pepper_another_one(settings: Any) -> None:
    assert credentials.fingerprint(KEY) == credentials.fingerprint(KEY) != credentials.fingerprint(OTHER)
    before = credentials.fingerprint(KEY)
    settings.FINGERPRINT_PEPPER = "another pepper of the right length"
    assert credentials.fingerprint(KEY) != before
    assert len(before) == 32


def test_a_member_cannot_keep_a_key_for_the_workspace_or_name_an_address(bob: Actor) -> None:
    for over in ({"shared": True}, {"base_url": "https://evil.example.com"}):
        with pytest.raises(Problem) as refused:
            keep(bob, **over)
        assert refused.value.status == 403
    assert not Credential.objects.exists()


def test_an_address_belongs_to_a_workspace_key(alice: Actor) -> None:
    with pytest.raises(Problem) as refused:
        keep(alice, base_url="https://gateway.example.com")
    assert (refused.value.status, refused.value.extra["field"]) == (422, "base_url")
    row = keep(alice, base_url="https://gateway.example.com/v1/", shared=True)
    assert credentials.open_ref(f"credential:{row.pk}").base_url == "https://gateway.example.com/v1"


def test_outside_development_an_administrator_cannot_reach_into_the_operator_s_network(
    alice: Actor, settings: Any
) -> None:
    keep(alice, base_url="http://127.0.0.1:8080/v1", shared=True)
    settings.DEVELOPMENT = False
    with pytest.raises(Problem) as refused:
        keep(alice, base_url="http://127.0.0.1:8080/v1", shared=True)
    assert refused.value.extra["field"] == "base_url"


@pytest.mark.parametrize("provider_id", ["nonsense", ""])
def test_a_provider_that_is_not_there_takes_no_key(alice: Actor, provider_id: str) -> None:
    with pytest.raises(Problem) as refused:
        keep(alice, provider_id=provider_id)
    assert (refused.value.status, refused.value.code) == (422, "invalid_provider_id")


def test_the_operator_s_address_holds_for_every_key_without_one_of_its_own(alice: Actor, settings: Any) -> None:
    settings.PROVIDER_BASE_URLS = {"openai": "https://gateway.example.com/v1"}
    row = keep(alice)
    assert credentials.open_ref(f"credential:{row.pk}").base_url == "https://gateway.example.com/v1"


# ---------------------------------------------------------------- the sandbox
def test_a_sandbox_key_goes_to_the_sandbox_whatever_address_stands_beside_it(alice: Actor, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    settings.PROVIDER_BASE_URLS = {"openai": "https://gateway.example.com/v1"}
    row = keep(alice, "sandbox-key-of-alice", shared=True, base_url="https://gateway.example.com")
    assert row.sandbox
    assert credentials.open_ref(f"credential:{row.pk}").base_url == "http://127.0.0.1:1/openai/v1"
    settings.SANDBOX_URL = ""
    with pytest.raises(ProviderError) as gone:
        credentials.open_ref(f"credential:{row.pk}")
    assert gone.value.code is ErrorCode.MISSING_AUTH


def test_without_a_sandbox_its_keys_are_refused(alice: Actor) -> None:
    with pytest.raises(Problem):
        keep(alice, "sandbox-key-of-alice")


# ---------------------------------------------------------------- opening
def test_a_secret_copied_to_another_row_does_not_open(alice: Actor, bob: Actor) -> None:
    keep(alice)
    theirs = keep(bob, OTHER)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM providers_credential WHERE hint = %s", ["sk-proj-…4f2a"])
        cursor.execute("UPDATE providers_credential SET secret = %s", [cursor.fetchone()[0]])
    with pytest.raises(DecryptionFailed, match="another row"):
        credentials.open_stored(theirs.pk)
    with pytest.raises(ProviderError) as refused:
        credentials.open_ref(f"credential:{theirs.pk}")
    assert (refused.value.code, refused.value.detail) == (ErrorCode.INVALID_AUTH, "key_unreadable")
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("column", ["user_id", "workspace_id", "provider_id"])
def test_a_row_given_to_somebody_else_does_not_open(alice: Actor, charlie: Actor, column: str) -> None:
    row = keep(alice)
    value = "gemini" if column == "provider_id" else getattr(charlie, column)
    Credential.objects.filter(pk=row.pk).update(**{column: value})
    with pytest.raises(DecryptionFailed):
        credentials.open_stored(row.pk)


@pytest.mark.parametrize(
    "planted", ["plain", json.dumps(["v1", KEY]), json.dumps({"a": 1}), json.dumps([1, 2, 3]), "null"]
)
def test_what_was_not_sealed_for_a_credential_does_not_open(alice: Actor, planted: str) -> None:
    row = keep(alice)
    Credential.objects.filter(pk=row.pk).update(secret=planted)
    with pytest.raises(DecryptionFailed):
        credentials.open_stored(row.pk)


def test_a_removed_key_is_missing_and_not_a_crash(alice: Actor) -> None:
    row = keep(alice)
    credentials.remove(alice, row.pk)
    with pytest.raises(ProviderError) as gone:
        credentials.open_ref(f"credential:{row.pk}")
    assert gone.value.code is ErrorCode.MISSING_AUTH


def test_an_installation_key_that_was_taken_away_is_missing() -> None:
    for ref in ("environment:openai", "environment:nonsense", "sandbox:openai"):
        with pytest.raises(ProviderError) as gone:
            credentials.open_ref(ref)
        assert gone.value.code is ErrorCode.MISSING_AUTH


# ---------------------------------------------------------------- removing
def test_who_may_remove_what(alice: Actor, bob: Actor, charlie: Actor) -> None:
    shared, own = keep(alice, shared=True), keep(bob, OTHER)
    admin = make_actor("dana@example.com", None, Role.ADMIN)
    for actor, row, status in [
        (charlie, shared, 404),
        (charlie, own, 404),
        (admin, shared, 404),
        (alice, own, 404),
        (bob, shared, 403),
    ]:
        with pytest.raises(Problem) as refused:
            credentials.remove(actor, row.pk)
        assert refused.value.status == status
    credentials.remove(bob, own.pk)
    credentials.remove(alice, shared.pk)
    assert not Credential.objects.exists()


def test_a_changed_key_is_announced_after_it_is_committed(
    alice: Actor, django_capture_on_commit_callbacks: Any
) -> None:
    heard = []

    def listen(sender: Any, provider_id: str, **_: Any) -> None:
        heard.append((provider_id, Credential.objects.count()))

    credentials.changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            row = keep(alice)
            assert heard == []
        with django_capture_on_commit_callbacks(execute=True):
            credentials.remove(alice, row.pk)
    finally:
        credentials.changed.disconnect(listen)
    assert heard == [("openai", 1), ("openai", 0)]


# ---------------------------------------------------------------- listing
def test_with_whose_key_a_provider_is_listed(alice: Actor, bob: Actor, charlie: Actor, settings: Any) -> None:
    keep(bob, OTHER)
    assert [[one.source for one in group] for group in credentials.for_listing("openai")] == [["own"]]
    keep(alice, shared=True)
    keep(charlie, shared=True, base_url="https://gateway.example.com")
    groups = [[one.source for one in group] for group in credentials.for_listing("openai")]
    assert sorted(groups) == [["workspace"], ["workspace", "own"]]
    settings.PROVIDER_KEYS = {"openai": KEY}
    assert credentials.for_listing("openai")[0][0].source == "environment"
