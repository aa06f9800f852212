"""From the mail to a membership: once, for a week, for that address only, also where sign-up is closed."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts import invitations, memberships
from accounts.models import AuditEntry, Invitation, Membership, Role, User, Workspace
from accounts.policies import Actor
from accounts.problems import Problem
from tests.accounts.conftest import Person
from tests.factories import make_actor, make_user

ORIGIN = "http://localhost"


def invited(actor: Actor, email: str = "dora@example.com", role: Role = Role.MEMBER) -> str:
    """The path of the link."""
    return invitations.invite(actor, email, role, ORIGIN)[1].removeprefix(ORIGIN)


def token_in(path: str) -> str:
    return path.split("/")[2]


def verified(email: str) -> User:
    user = make_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


# ---------------------------------------------------------------- the whole way
def test_an_invitation_opens_a_closed_sign_up_and_ends_in_its_workspace(
    dora: Person, alice: Actor, charlie: Actor, settings: Any
) -> None:
    settings.SIGNUP_OPEN = False
    path = invited(alice, role=Role.ADMIN)
    page = dora.get(path)
    assert "Join Example" in page.text
    assert "alice@example.com invites you, as administrator" in page.text
    page = dora.sign_up()
    assert page.request["PATH_INFO"] == "/accounts/2fa/recovery-codes/"
    membership = Membership.objects.get(user__email=dora.email)
    assert (membership.workspace_id, membership.role) == (alice.workspace_id, "admin")
    assert membership.user.is_staff
    actions = AuditEntry.objects.filter(workspace_id=alice.workspace_id).order_by("pk")
    assert list(actions.values_list("action", "who")) == [
        ("invitation.sent", "alice@example.com"),
        ("invitation.accepted", "dora@example.com"),
        ("member.joined", "dora@example.com"),
    ]


def test_without_an_invitation_a_closed_sign_up_stays_closed(dora: Person, settings: Any) -> None:
    settings.SIGNUP_OPEN = False
    assert "Sign-up is closed" in dora.get("/accounts/signup/passkey/").text
    dora.start_sign_up()
    assert not User.objects.exists()


def test_an_invitation_opens_sign_up_for_its_own_address_only(dora: Person, alice: Actor, settings: Any) -> None:
    settings.SIGNUP_OPEN = False
    dora.get(invited(alice, "eve@example.com"))
    assert "The invitation is for another address." in dora.start_sign_up().text
    assert not User.objects.filter(email=dora.email).exists()


def test_an_account_that_exists_joins_with_one_button(charlie: Actor, alice: Actor, dora: Person) -> None:
    dora.sign_up()
    own = Membership.objects.get(user__email=dora.email).workspace_id
    path = invited(alice)
    assert "Join Example" in dora.get(path).text
    page = dora.post(path)
    assert "You are in Example now." in page.text
    assert dora.client.session["workspace"] == str(alice.workspace_id)
    joined = set(Membership.objects.filter(user__email=dora.email).values_list("workspace_id", flat=True))
    assert joined == {own, alice.workspace_id}


# ---------------------------------------------------------------- what the page says
def test_a_link_says_when_it_is_used_up_past_or_for_another(
    charlie: Actor, alice: Actor, dora: Person, eve: Person
) -> None:
    dora.sign_up()
    eve.sign_up()
    path = invited(alice)
    assert "This invitation is for another address" in eve.get(path).text
    assert eve.post(path).status_code == 200
    assert not Membership.objects.filter(user__email=eve.email, workspace_id=alice.workspace_id).exists()
    dora.post(path)
    assert "You are in Example" in dora.get(path).text
    used = eve.get(path)
    assert (used.status_code, "This invitation is used up" in used.text) == (410, True)
    late = invited(alice, "eve@example.com")
    Invitation.objects.filter(email="eve@example.com").update(expires_at=timezone.now())
    page = eve.get(late)
    assert (page.status_code, "This invitation has expired" in page.text) == (410, True)
    assert eve.post(late).status_code == 410


def test_a_link_that_was_taken_back_or_never_made_is_a_404(dora: Person, alice: Actor) -> None:
    path = invited(alice)
    invitations.take_back(alice, Invitation.objects.get().pk)
    answers = [dora.client.get(one) for one in (path, "/invitations/nonsense/")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_nobody_signed_in_accepts_nothing(dora: Person, alice: Actor) -> None:
    assert dora.client.post(invited(alice)).status_code == 401
    assert Invitation.objects.get().state == "open"


# ---------------------------------------------------------------- rules
def test_an_address_that_is_not_proven_accepts_nothing(alice: Actor) -> None:
    user = make_user("dora@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=False, primary=True)
    with pytest.raises(Problem, match="other_address"):
        invitations.accept(user, token_in(invited(alice)))


@pytest.mark.parametrize(
    ("who", "role", "code"),
    [
        (Role.OWNER, Role.OWNER, ""),
        (Role.ADMIN, Role.ADMIN, ""),
        (Role.ADMIN, Role.OWNER, "not_allowed"),
        (Role.MEMBER, Role.MEMBER, "not_allowed"),
    ],
)
def test_nobody_invites_above_their_own_role(alice: Actor, who: Role, role: Role, code: str) -> None:
    actor = make_actor("dan@example.com", Workspace.objects.get(pk=alice.workspace_id), who)
    try:
        invited(actor, role=role)
        said = ""
    except Problem as problem:
        said = problem.code
    assert said == code
    assert Invitation.objects.exists() == (not code)


def test_the_token_is_stored_as_a_hash_only(alice: Actor) -> None:
    token = token_in(invited(alice))
    row = Invitation.objects.values().get()
    assert token not in str(row)
    assert len(row["digest"]) == 64


def test_inviting_again_renews_the_invitation_and_ends_the_old_link(alice: Actor) -> None:
    first, second = invited(alice), invited(alice, "Dora@Example.com", Role.ADMIN)
    assert Invitation.objects.get().role == "admin"
    assert invitations.behind(token_in(first)) is None
    assert invitations.behind(token_in(second)) is not None


def test_a_member_is_not_invited_again(alice: Actor, bob: Actor) -> None:
    with pytest.raises(Problem, match="already_member"):
        invited(alice, "bob@example.com")


def test_a_member_who_accepts_keeps_the_role_they_have(alice: Actor) -> None:
    token = token_in(invited(alice, role=Role.MEMBER))
    user = verified("dora@example.com")
    memberships.grant(user, Workspace.objects.get(pk=alice.workspace_id), Role.ADMIN)
    assert invitations.accept(user, token).role == "admin"


def test_what_an_inviter_may_not_give_any_more_their_invitations_do_not_give(alice: Actor) -> None:
    workspace = Workspace.objects.get(pk=alice.workspace_id)
    dan = make_actor("dan@example.com", workspace, Role.ADMIN)
    token = token_in(invited(dan, role=Role.ADMIN))
    memberships.change_role(alice, Membership.objects.get(user_id=dan.user_id).pk, Role.MEMBER)
    assert invitations.behind(token) is None


def test_what_a_closed_account_sent_opens_nothing(dora: Person, alice: Actor, bob: Actor) -> None:
    path = invited(alice)
    User.objects.filter(pk=bob.user_id).update(is_active=False)
    assert dora.get(path).status_code == 200
    User.objects.filter(pk=alice.user_id).update(is_active=False)
    assert dora.get(path).status_code == 404
    with pytest.raises(Problem, match="not_found"):
        invitations.accept(verified(dora.email), token_in(path))


def test_an_hour_holds_only_so_many_invitations(alice: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST_AN_HOUR", 2)
    for email in ("a@example.com", "b@example.com"):
        invited(alice, email)
    with pytest.raises(Problem, match="too_many"):
        invited(alice, "c@example.com")
    Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=2))
    invited(alice, "c@example.com")


def test_a_mail_goes_out_only_once_the_invitation_is_stored(
    alice: Actor, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as waiting:
        invited(alice)
    assert mail.outbox == []
    waiting[0]()
    message = mail.outbox[0]
    assert message.subject == "[Parley] alice@example.com invites you to Example"
    assert "only for dora@example.com" in message.body


@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_used_twice_at_once_works_once() -> None:
    alice = make_actor()
    user = verified("dora@example.com")
    token = token_in(invited(alice))
    said: list[str] = []
    start = Barrier(3)

    def use() -> None:
        start.wait()
        try:
            invitations.accept(user, token)
            said.append("joined")
        except Problem as problem:
            said.append(problem.code)
        finally:
            connection.close()

    threads = [Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["invitation_accepted", "invitation_accepted", "joined"]
    assert Membership.objects.filter(user=user).count() == 1
