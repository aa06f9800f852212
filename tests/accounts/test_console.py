"""Who the console admits, by which proof, and how far they see."""

import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.test import RequestFactory

from accounts import invitations, memberships
from accounts.console import WorkspaceAdmin
from accounts.links import make_sign_in_link
from accounts.models import AuditEntry, Invitation, Membership, Role, User, Workspace
from accounts.policies import Actor
from tests.accounts.conftest import Person
from tests.factories import make_workspace

CONSOLE = "/admin/"


def promote(person: Person, role: Role, workspace: Workspace | None = None) -> None:
    user = User.objects.get(email=person.email)
    user.memberships.all().delete()
    memberships.grant(user, workspace or make_workspace("Dora's"), role)


@pytest.fixture
def dora_administers(dora: Person, alice: Actor, charlie: Actor) -> Person:
    """Dora is an administrator of alice's workspace, freshly signed in; charlie owns another one."""
    dora.sign_up()
    promote(dora, Role.ADMIN, Workspace.objects.get(pk=alice.workspace_id))
    return dora


def test_a_stranger_signs_in_first(dora: Person) -> None:
    assert dora.get(CONSOLE).request["PATH_INFO"] == "/accounts/login/"


def test_a_member_is_not_admitted(dora: Person) -> None:
    dora.sign_up()
    assert dora.get(CONSOLE).status_code == 403


def test_staff_without_a_role_is_not_admitted(dora: Person) -> None:
    dora.sign_up()
    User.objects.update(is_staff=True)
    assert dora.get(CONSOLE).status_code == 403


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OWNER])
def test_an_administrator_with_a_fresh_passkey_is_admitted(dora: Person, role: Role) -> None:
    dora.sign_up()
    promote(dora, role)
    page = dora.get(CONSOLE)
    assert page.request["PATH_INFO"] == CONSOLE
    assert "Active members" in page.text


def test_a_superuser_is_admitted_without_a_membership(dora: Person) -> None:
    dora.sign_up()
    User.objects.update(is_superuser=True)
    Membership.objects.all().delete()
    assert dora.get(CONSOLE).request["PATH_INFO"] == CONSOLE


def test_after_four_hours_the_passkey_is_asked_for_again(dora: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    dora.sign_up()
    promote(dora, Role.OWNER)
    later = time.time() + 4 * 3600 + 1
    monkeypatch.setattr(time, "time", lambda: later)
    page = dora.get(CONSOLE)
    assert page.request["PATH_INFO"] == "/accounts/2fa/webauthn/reauthenticate/"
    assert dora.prove(page).request["PATH_INFO"] == CONSOLE


def test_a_recovery_code_is_no_key_to_the_console(dora: Person) -> None:
    dora.sign_up()
    promote(dora, Role.OWNER)
    code = dora.get("/accounts/2fa/recovery-codes/download/").text.split()[-1]
    dora.sign_out()
    page = dora.confirm(dora.post("/accounts/login/", login=dora.email))
    dora.post(page.request["PATH_INFO"], code=code)
    assert dora.is_in
    assert dora.get(CONSOLE).request["PATH_INFO"] == "/accounts/2fa/webauthn/reauthenticate/"


def test_an_owner_without_a_passkey_is_led_to_one_and_on(dora: Person) -> None:
    user = User.objects.create_user(dora.email)
    memberships.grant(user, make_workspace(), Role.OWNER)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    dora.client.get(make_sign_in_link(user))
    page = dora.get(CONSOLE)
    assert page.request["PATH_INFO"] == "/accounts/2fa/webauthn/add/"
    assert "The console opens with a passkey" in page.text


def test_a_lost_role_closes_the_console_at_once(dora_administers: Person) -> None:
    assert dora_administers.get(CONSOLE).status_code == 200
    memberships.revoke(Membership.objects.get(user__email=dora_administers.email))
    assert dora_administers.get(CONSOLE).status_code == 403


# ---------------------------------------------------------------- how far they see
def test_lists_hold_the_own_workspace_only(dora_administers: Person) -> None:
    people = dora_administers.get("/admin/accounts/user/").text
    assert "alice@example.com" in people
    assert "charlie@example.com" not in people
    assert "Elsewhere" not in dora_administers.get("/admin/accounts/workspace/").text
    assert "charlie@example.com" not in dora_administers.get("/admin/accounts/membership/").text


@pytest.mark.parametrize("page", ["change/", "delete/", "history/"])
def test_a_foreign_row_and_no_row_look_alike(dora_administers: Person, charlie: Actor, page: str) -> None:
    foreign = Membership.objects.get(user_id=charlie.user_id).pk
    nowhere = "00000000-0000-4000-8000-00000000dead"
    answers = [dora_administers.client.get(f"/admin/accounts/membership/{pk}/{page}") for pk in (foreign, nowhere)]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].status_code in {302, 404}


def change(person: Person, membership: Membership, **data: Any) -> Any:
    return person.client.post(f"/admin/accounts/membership/{membership.pk}/change/", data)


def test_an_administrator_changes_a_members_role(dora_administers: Person, bob: Actor) -> None:
    membership = Membership.objects.get(user_id=bob.user_id)
    assert change(dora_administers, membership, role="admin").status_code == 302
    membership.refresh_from_db()
    membership.user.refresh_from_db()
    assert (membership.role, membership.user.is_staff) == ("admin", True)


def test_an_administrator_makes_no_owner_and_touches_none(dora_administers: Person, alice: Actor, bob: Actor) -> None:
    ours, owners = Membership.objects.get(user_id=bob.user_id), Membership.objects.get(user_id=alice.user_id)
    assert "Select a valid choice" in change(dora_administers, ours, role="owner").text
    assert change(dora_administers, owners, role="member").status_code == 403
    removal = dora_administers.client.post(f"/admin/accounts/membership/{owners.pk}/delete/", {"post": "yes"})
    assert removal.status_code == 403
    roles = Membership.objects.filter(workspace_id=alice.workspace_id).order_by("role").values_list("role", flat=True)
    assert list(roles) == ["admin", "member", "owner"]


def test_a_forged_form_cannot_move_a_membership(dora_administers: Person, bob: Actor, charlie: Actor) -> None:
    membership = Membership.objects.get(user_id=bob.user_id)
    change(dora_administers, membership, role="member", workspace=charlie.workspace_id, user=charlie.user_id)
    membership.refresh_from_db()
    assert (membership.workspace_id, membership.user_id) == (bob.workspace_id, bob.user_id)


def test_people_cannot_be_added_changed_or_removed_here(dora_administers: Person, bob: Actor) -> None:
    for path in ("add/", f"{bob.user_id}/delete/"):
        assert dora_administers.client.post(f"/admin/accounts/user/{path}", {"post": "yes"}).status_code == 403
    dora_administers.client.post(
        f"/admin/accounts/user/{bob.user_id}/change/", {"is_superuser": "on", "email": "x@x.com"}
    )
    user = User.objects.get(pk=bob.user_id)
    assert (user.email, user.is_superuser) == ("bob@example.com", False)


def test_a_superuser_closes_an_account_and_changes_nothing_else(dora: Person, bob: Actor) -> None:
    dora.sign_up()
    User.objects.filter(email=dora.email).update(is_superuser=True)
    dora.client.post(f"/admin/accounts/user/{bob.user_id}/change/", {"email": "x@x.com"})
    user = User.objects.get(pk=bob.user_id)
    assert (user.is_active, user.email) == (False, "bob@example.com")


def test_an_action_is_done_and_written_down_for_each_row(dora_administers: Person, alice: Actor) -> None:
    _, link = invitations.invite(alice, "eve@example.com", Role.MEMBER, "")
    pk = Invitation.objects.get().pk
    asked = {"action": "take_back", "_selected_action": [str(pk)]}
    assert "1 taken back" in dora_administers.post("/admin/accounts/invitation/", **asked).text
    assert invitations.behind(link.split("/")[2]) is None
    written = AuditEntry.objects.filter(workspace_id=alice.workspace_id, who=dora_administers.email)
    assert {"console.take_back", "invitation.revoked"} <= set(written.values_list("action", flat=True))


def test_rows_that_would_plant_a_credential_have_no_page() -> None:
    shown = {model._meta.label for model in admin.site._registry}
    assert not shown & {"mfa.Authenticator", "account.EmailAddress", "usersessions.UserSession", "auth.Group"}


def test_choices_reach_no_further_than_the_lists(dora_administers: Person, charlie: Actor) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.get(email=dora_administers.email)
    page = WorkspaceAdmin(Membership, admin.site)
    for name, label in (("workspace", "Elsewhere"), ("user", "charlie@example.com")):
        choices = page.formfield_for_foreignkey(Membership._meta.get_field(name), request).queryset
        assert choices.exists()
        assert label not in {str(one) for one in choices}


def test_times_are_written_as_the_pages_write_them(dora_administers: Person) -> None:
    joined = Membership.objects.get(user__email=dora_administers.email).created_at
    page = dora_administers.get(f"{CONSOLE}accounts/membership/").text
    assert f"{joined.day} {joined:%b %Y, %H:%M}" in page
    assert "p.m." not in page
