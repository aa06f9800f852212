"""The audit: what is written stays as it was written, and whoever touches it is found out."""

from importlib import import_module
from io import StringIO
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts import audit
from accounts.models import AuditEntry, AuditHead, User, Workspace
from accounts.models.audit import AppendOnly
from accounts.policies import Actor
from tests.factories import make_workspace


def write(actor: Actor, count: int = 3) -> list[AuditEntry]:
    return [
        audit.record(
            "member.role_changed",
            user=actor.user_id,
            workspace_id=actor.workspace_id,
            target=f"bob {number}",
            data={"from": "member", "to": "admin", "at": number},
            request_ip="192.0.2.7",
        )
        for number in range(count)
    ]


def meddle(sql: str, *values: Any) -> None:
    """Somebody with the database's password."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def found() -> list[tuple[int, str]]:
    return [(fault.sequence, fault.reason) for fault in audit.broken()]


def test_an_entry_says_who_did_what_to_what_where_from_and_when(alice: Actor) -> None:
    write(alice, 1)
    entry = AuditEntry.objects.get(action="member.role_changed")
    assert (entry.who, entry.user_id, entry.workspace_id) == ("alice@example.com", alice.user_id, alice.workspace_id)
    assert (entry.target, entry.ip, entry.sequence) == ("bob 0", "192.0.2.7", 1)
    assert entry.data == {"from": "member", "to": "admin", "at": 0}


def test_untouched_chains_are_whole(alice: Actor, charlie: Actor) -> None:
    write(alice)
    write(charlie)
    audit.record("installation.upgraded", data={"share": 0.25, "odd": 1e20})
    assert found() == []
    assert AuditHead.objects.count() == 3


@pytest.mark.parametrize(
    "change",
    [
        "who = 'charlie@example.com'",
        "action = 'member.joined'",
        "target = 'nobody'",
        "ip = '192.0.2.8'",
        "at = '2026-01-01 00:00:00+00:00'",
        'data = \'{"to": "owner"}\'',
        "user_id = NULL",
        "workspace_id = NULL",
    ],
)
def test_an_edited_entry_is_named(alice: Actor, change: str) -> None:
    second = write(alice)[1]
    meddle(f"UPDATE accounts_auditentry SET {change} WHERE id = %s", second.pk)  # noqa: S608
    assert found() == [(2, "edited")]


def test_a_removed_entry_is_missed(alice: Actor) -> None:
    second = write(alice)[1]
    meddle("DELETE FROM accounts_auditentry WHERE id = %s", second.pk)
    assert found() == [(2, "removed")]


def test_two_entries_that_change_places_are_noticed(alice: Actor) -> None:
    first, second, _ = write(alice)
    for pk, place in ((first.pk, 99), (second.pk, 1), (first.pk, 2)):
        meddle("UPDATE accounts_auditentry SET sequence = %s WHERE id = %s", place, pk)
    assert found() == [(1, "edited")]


def test_a_cut_off_tail_is_missed_also_with_the_count_set_back(alice: Actor) -> None:
    _, second, last = write(alice)
    meddle("DELETE FROM accounts_auditentry WHERE id = %s", last.pk)
    assert found() == [(3, "shortened")]
    digest = AuditEntry.objects.get(pk=second.pk).digest
    meddle("UPDATE accounts_audithead SET count = 2, digest = %s WHERE chain = %s", digest, str(alice.workspace_id))
    assert found() == [(2, "edited")]


def test_a_chain_that_is_gone_altogether_is_missed(alice: Actor, charlie: Actor) -> None:
    write(alice)
    write(charlie)
    meddle("DELETE FROM accounts_auditentry WHERE chain = %s", str(alice.workspace_id))
    meddle("DELETE FROM accounts_audithead WHERE chain = %s", str(alice.workspace_id))
    assert audit.broken() == [audit.Broken(str(alice.workspace_id), 0, "removed")]


def test_an_entry_made_up_by_hand_does_not_fit(alice: Actor) -> None:
    write(alice)
    AuditEntry.objects.bulk_create([AuditEntry(chain=str(alice.workspace_id), sequence=4, at="2026-01-01T00:00Z")])
    assert found() == [(4, "edited")]


def test_another_pepper_opens_no_chain(alice: Actor, settings: Any) -> None:
    write(alice)
    settings.FINGERPRINT_PEPPER = "another"
    assert found() != []


def test_nothing_of_ours_changes_or_removes_an_entry(alice: Actor) -> None:
    entry = write(alice, 1)[0]
    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(who=""),
        lambda: AuditEntry.objects.bulk_update([entry], ["who"]),
        lambda: AuditEntry.objects.create(chain="x", sequence=1, at=entry.at),
    ):
        with pytest.raises(AppendOnly):
            attempt()


@pytest.fixture
def guarded(db: None) -> None:
    """The table as the migration leaves it, until the test's transaction is rolled back."""
    migration = import_module("accounts.migrations.0002_audit")
    migration.guard(None, SimpleNamespace(connection=connection, execute=meddle))


@pytest.mark.parametrize("sql", ["UPDATE accounts_auditentry SET who = ''", "DELETE FROM accounts_auditentry"])
def test_the_database_itself_refuses_to_change_or_remove_an_entry(guarded: None, alice: Actor, sql: str) -> None:
    write(alice)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        meddle(sql)
    assert found() == []


def test_an_entry_goes_with_its_change_or_not_at_all(alice: Actor) -> None:
    with transaction.atomic():
        write(alice)
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == 0
    assert found() == []


def test_entries_outlive_whom_and_what_they_are_about(alice: Actor) -> None:
    write(alice)
    User.objects.all().delete()
    Workspace.objects.all().delete()
    assert AuditEntry.objects.filter(who="alice@example.com").count() == 3
    assert found() == []


@pytest.mark.parametrize("data", [{"secret": "x"}, {"Token": "x"}, {"note": "x" * 5000}, {"n": float("nan")}])
def test_facts_that_do_not_belong_are_refused(alice: Actor, data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"secret|longer|JSON"):
        audit.record("credential.stored", user=alice.user_id, workspace_id=alice.workspace_id, data=data)


@pytest.mark.parametrize("action", ["", "stored", "Credential.stored", "a.b.c"])
def test_an_action_is_a_thing_and_what_happened_to_it(db: None, action: str) -> None:
    with pytest.raises(ValueError, match="action"):
        audit.record(action)


# ---------------------------------------------------------------- many at once
@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_make_one_chain() -> None:
    workspace = make_workspace()

    def write_some() -> None:
        for number in range(5):
            audit.record("test.written", workspace_id=workspace.pk, target=str(number))
        connection.close()

    threads = [Thread(target=write_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AuditEntry.objects.filter(workspace_id=workspace.pk).count() == 20
    assert found() == []


# ---------------------------------------------------------------- the command
def verify() -> str:
    out = StringIO()
    call_command("verify_audit", stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_says_how_long_each_chain_is(alice: Actor) -> None:
    write(alice)
    assert f"{alice.workspace_id}: 3 entries" in verify()


def test_the_command_fails_on_a_broken_chain(alice: Actor) -> None:
    second = write(alice)[1]
    meddle("UPDATE accounts_auditentry SET who = '' WHERE id = %s", second.pk)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", stderr=out)
    assert out.getvalue() == f"{alice.workspace_id}: entry 2 was edited\n"


# ---------------------------------------------------------------- who reads it
def test_administrators_read_their_workspace_and_its_members_sign_ins(alice: Actor, bob: Actor, charlie: Actor) -> None:
    write(alice, 1)
    write(charlie, 1)
    audit.record("identity.signed_in", user=bob.user_id)
    audit.record("identity.signed_in", user=charlie.user_id)
    audit.record("provider.changed", user=alice.user_id)
    seen = audit.visible_to(alice).order_by("pk").values_list("action", "who")
    assert list(seen) == [("member.role_changed", "alice@example.com"), ("identity.signed_in", "bob@example.com")]
    assert not audit.visible_to(bob).exists()
