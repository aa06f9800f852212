"""Who lost device and recovery codes is let in again by an administrator, who gets nothing that opens the account."""

import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import memberships, recovery, tokens
from accounts.links import make_sign_in_link
from accounts.models import ApiToken, AuditEntry, IdentityProvider, Role, User, Workspace
from accounts.policies import Actor
from tests.accounts.conftest import Person
from tests.accounts.device import SoftDevice
from tests.factories import make_member, make_user, make_workspace

DONE = "The sign-in of dora@example.com is reset."


def give(person: Person, place: Workspace, role: Role) -> User:
    user = User.objects.get(email=person.email)
    user.memberships.all().delete()
    memberships.grant(user, place, role)
    return user


@pytest.fixture
def place(alice: Actor) -> Workspace:
    return Workspace.objects.get(pk=alice.workspace_id)


@pytest.fixture
def lost(dora: Person, eve: Person, place: Workspace) -> User:
    """Dora, a member, who lost everything; eve administers the workspace and has just used her passkey."""
    for person in (dora, eve):
        cache.clear()
        person.sign_up()
    give(eve, place, Role.ADMIN)
    SocialAccount.objects.create(user=User.objects.get(email=dora.email), provider="acme", uid="dora-1")
    mail.outbox.clear()
    cache.clear()
    return give(dora, place, Role.MEMBER)


def address(user: User) -> str:
    return f"/admin/accounts/user/{user.pk}/reset/"


def test_an_administrator_is_told_what_happens_and_then_it_does(
    lost: User, dora: Person, eve: Person, place: Workspace, django_capture_on_commit_callbacks: Any
) -> None:
    _, plain = tokens.mint(lost, place, "CI", ["chat"])
    page = eve.get(address(lost))
    assert "What happens" in page.text
    assert dora.get("/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        page = eve.post(address(lost))
    assert DONE in page.text
    assert not Authenticator.objects.filter(user=lost).exists()
    assert not SocialAccount.objects.filter(user=lost).exists()
    assert dora.get("/").request["PATH_INFO"] == "/accounts/login/"
    with pytest.raises(tokens.TokenRefused):
        tokens.verify(plain)
    assert [(one.to, one.subject) for one in mail.outbox] == [([dora.email], "[Parley] Your sign-in was reset")]
    assert "eve@example.com" in mail.outbox[0].body
    assert "http://localhost/accounts/login/" in mail.outbox[0].body
    entry = AuditEntry.objects.get(action="member.sign_in_reset")
    assert (entry.who, entry.target, entry.workspace_id) == (eve.email, dora.email, place.pk)
    assert AuditEntry.objects.get(action="api_token.revoked").who == eve.email
    assert eve.get("/admin/").request["PATH_INFO"] == "/admin/"


def test_its_owner_comes_back_by_the_mailbox_and_makes_a_passkey_before_anything_opens(
    lost: User, dora: Person, eve: Person
) -> None:
    eve.post(address(lost))
    old, dora.device = dora.device, SoftDevice()
    dora.client.cookies.clear()
    page = dora.confirm(dora.post("/accounts/login/", login=dora.email))
    assert page.request["PATH_INFO"] == "/welcome/"
    assert dora.get("/").request["PATH_INFO"] == "/welcome/"
    dora.make_passkey(dora.get("/accounts/2fa/webauthn/add/"))
    dora.sign_out()
    dora.sign_in()
    assert dora.is_in
    dora.sign_out()
    dora.device = old
    cache.clear()
    dora.sign_in()
    assert not dora.is_in


def test_no_session_link_or_claim_outlives_it(lost: User, dora: Person, eve: Person, place: Workspace) -> None:
    link, unlisted = make_sign_in_link(lost), Client(headers={"host": "localhost"})
    unlisted.force_login(lost)
    UserSession.objects.exclude(session_key=dora.client.session.session_key).filter(user=lost).delete()
    row = IdentityProvider.objects.create(
        slug="own", name="Acme", issuer="https://login.example", client_id="x", enabled=True, workspace=place,
        sign_up="open", roles=[{"role": "admin", "claim": "groups", "value": "admins"}],
    )  # fmt: skip
    SocialAccount.objects.create(user=lost, provider="own", uid="dora-1", extra_data={"role": "admin"})
    lost.memberships.update(role=Role.ADMIN, follows=row)
    eve.post(address(lost))
    assert lost.memberships.get().role == Role.MEMBER
    assert not Session.objects.filter(session_key=dora.client.session.session_key).exists()
    assert unlisted.get("/settings/accounts/").status_code == 302
    assert dora.get(link).status_code == 404


def test_the_passkey_is_asked_for_again_after_minutes(lost: User, eve: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    later = time.time() + 360
    monkeypatch.setattr(time, "time", lambda: later)
    for ask in (eve.get, eve.post):
        assert ask(address(lost)).request["PATH_INFO"] == "/accounts/2fa/webauthn/reauthenticate/"
    assert Authenticator.objects.filter(user=lost).exists()


def test_a_page_that_says_no_does_nothing_when_it_is_posted_to(lost: User, eve: Person) -> None:
    make_member(lost, make_workspace("Elsewhere"))
    assert "or a superuser" in eve.get(address(lost)).text
    assert eve.post(address(lost)).status_code == 403
    assert Authenticator.objects.filter(user=lost).exists()
    assert not AuditEntry.objects.filter(action="member.sign_in_reset").exists()


@pytest.mark.parametrize(
    ("mine", "theirs", "may"),
    [
        ("owner", "owner", True),
        ("owner", "admin", True),
        ("admin", "admin", True),
        ("admin", "member", True),
        ("admin", "owner", False),
        ("member", "member", False),
        ("", "member", False),
        ("superuser", "owner", True),
        ("superuser", "", True),
        ("owner", "", False),
        ("owner", "superuser", False),
        ("owner", "elsewhere", False),
        ("owner", "closed", False),
        ("owner", "unproven", False),
    ],
)
def test_who_may(db: None, mine: str, theirs: str, may: bool) -> None:
    place = make_workspace()
    by, person = make_user("by@example.com"), make_user("person@example.com")
    EmailAddress.objects.create(user=person, email=person.email, verified=theirs != "unproven", primary=True)
    if mine in set(Role):
        make_member(by, place, Role(mine))
    if theirs:
        make_member(person, place, Role(theirs) if theirs in set(Role) else Role.MEMBER)
    if theirs == "elsewhere":
        make_member(person, make_workspace("Elsewhere"))
    by.is_superuser = mine == "superuser"
    person.is_superuser, person.is_active = theirs == "superuser", theirs != "closed"
    assert (recovery.refusal(by, person) == "") is may


def test_nobody_resets_themselves(db: None) -> None:
    root = make_user(is_superuser=True)
    assert "Your own" in recovery.refusal(root, root)


def test_the_operator_helps_the_last_administrator(lost: User, dora: Person) -> None:
    tokens.mint(lost, Workspace.objects.earliest("created_at"), "CI", ["chat"])
    call_command("reset_sign_in", "Dora@example.com")
    assert not Authenticator.objects.filter(user=lost).exists()
    assert not ApiToken.objects.filter(user=lost, revoked_at=None).exists()
    assert AuditEntry.objects.get(action="member.sign_in_reset").who == ""
    with pytest.raises(CommandError, match="nobody"):
        call_command("reset_sign_in", "nobody@example.com")
    EmailAddress.objects.update(verified=False)
    with pytest.raises(CommandError, match="never proven"):
        call_command("reset_sign_in", dora.email)
