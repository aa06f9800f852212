"""Workspaces and who is in them: roles are given by those above, and there is always an owner."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts import memberships, workspaces
from accounts.models import AuditEntry, Membership, Role, User, Workspace
from accounts.policies import Actor
from accounts.problems import Problem
from tests.accounts.conftest import prove_passkey
from tests.factories import make_actor, make_member, make_workspace

PAGE = "/settings/workspace/"
NOWHERE = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture
def browser() -> Callable[[Actor], Client]:
    """`browser(actor)`: signed in, with a passkey used just now."""

    def sign_in(actor: Actor) -> Client:
        client = Client()
        client.force_login(User.objects.get(pk=actor.user_id))
        prove_passkey(client)
        return client

    return sign_in


def of(actor: Actor) -> Membership:
    return Membership.objects.get(user_id=actor.user_id, workspace_id=actor.workspace_id)


def roles(actor: Actor) -> dict[str, str]:
    rows = Membership.objects.filter(workspace_id=actor.workspace_id)
    return dict(rows.values_list("user__email", "role"))


def actions(actor: Actor) -> list[str]:
    rows = AuditEntry.objects.filter(workspace_id=actor.workspace_id).order_by("pk")
    return list(rows.values_list("action", flat=True))


@pytest.fixture
def dan(alice: Actor) -> Actor:
    """An administrator of alice's workspace."""
    return make_actor("dan@example.com", Workspace.objects.get(pk=alice.workspace_id), Role.ADMIN)


# ---------------------------------------------------------------- roles
@pytest.mark.parametrize(
    ("who", "whom", "role", "code"),
    [
        ("alice", "bob", Role.ADMIN, ""),
        ("alice", "bob", Role.OWNER, ""),
        ("alice", "dan", Role.MEMBER, ""),
        ("alice", "alice", Role.MEMBER, "last_owner"),
        ("dan", "bob", Role.ADMIN, ""),
        ("dan", "dan", Role.MEMBER, ""),
        ("dan", "bob", Role.OWNER, "not_allowed"),
        ("dan", "dan", Role.OWNER, "not_allowed"),
        ("dan", "alice", Role.MEMBER, "not_allowed"),
        ("bob", "bob", Role.ADMIN, "not_allowed"),
        ("bob", "dan", Role.MEMBER, "not_allowed"),
        ("charlie", "bob", Role.ADMIN, "not_found"),
    ],
)
def test_who_may_give_and_take_which_role(
    who: str, whom: str, role: Role, code: str, request: pytest.FixtureRequest
) -> None:
    people: dict[str, Actor] = {n: request.getfixturevalue(n) for n in ("alice", "bob", "dan", "charlie")}
    before = roles(people["alice"])
    try:
        memberships.change_role(people[who], of(people[whom]).pk, role)
        said = ""
    except Problem as problem:
        said = problem.code
    assert said == code
    after = before if code else before | {f"{whom}@example.com": role.value}
    assert roles(people["alice"]) == after


@pytest.mark.parametrize(
    ("who", "whom", "code"),
    [
        ("alice", "dan", ""),
        ("alice", "alice", "last_owner"),
        ("dan", "bob", ""),
        ("dan", "alice", "not_allowed"),
        ("bob", "bob", ""),
        ("bob", "dan", "not_allowed"),
        ("charlie", "bob", "not_found"),
    ],
)
def test_who_may_remove_whom_and_leave(who: str, whom: str, code: str, request: pytest.FixtureRequest) -> None:
    people: dict[str, Actor] = {n: request.getfixturevalue(n) for n in ("alice", "bob", "dan", "charlie")}
    gone = of(people[whom])
    try:
        memberships.end(people[who], gone.pk)
        said = ""
    except Problem as problem:
        said = problem.code
    assert said == code
    assert Membership.objects.filter(pk=gone.pk).exists() == bool(code)


def test_an_actor_from_before_the_role_was_lost_changes_nothing(alice: Actor, bob: Actor, dan: Actor) -> None:
    memberships.change_role(alice, of(dan).pk, Role.MEMBER)
    with pytest.raises(Problem, match="not_allowed"):
        memberships.change_role(dan, of(bob).pk, Role.ADMIN)


def test_djangos_staff_flag_follows_the_roles(alice: Actor, bob: Actor) -> None:
    def flag() -> bool:
        return User.objects.get(pk=bob.user_id).is_staff

    memberships.change_role(alice, of(bob).pk, Role.ADMIN)
    assert flag()
    memberships.change_role(alice, of(bob).pk, Role.MEMBER)
    assert not flag()
    memberships.change_role(alice, of(bob).pk, Role.OWNER)
    memberships.end(alice, of(bob).pk)
    assert not flag()


def test_every_change_of_a_role_is_in_the_audit(alice: Actor, bob: Actor) -> None:
    memberships.change_role(alice, of(bob).pk, Role.ADMIN)
    entry = AuditEntry.objects.get(action="member.role_changed")
    assert (entry.who, entry.target, entry.data) == (
        "alice@example.com",
        "bob@example.com",
        {"before": "member", "after": "admin"},
    )
    memberships.end(bob, of(bob).pk)
    assert actions(alice) == ["member.role_changed", "member.left"]


# ---------------------------------------------------------------- two at the same moment
def at_once(*work: Callable[[], Any]) -> list[str]:
    """Run all of it at the same moment; what each one was told, empty when it went through."""
    said: list[str] = []
    start = Barrier(len(work))

    def run(one: Callable[[], Any]) -> None:
        start.wait()
        try:
            one()
            said.append("")
        except Problem as problem:
            said.append(problem.code)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["leave", "demote", "each other"])
def test_two_owners_who_go_at_the_same_moment_leave_one_behind(way: str) -> None:
    for number in range(5):
        workspace = make_workspace()
        first = make_actor(f"first{number}@example.com", workspace)
        second = make_actor(f"second{number}@example.com", workspace)
        steps: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
            "leave": (
                lambda first=first: memberships.end(first, of(first).pk),
                lambda second=second: memberships.end(second, of(second).pk),
            ),
            "demote": (
                lambda first=first: memberships.change_role(first, of(first).pk, Role.MEMBER),
                lambda second=second: memberships.change_role(second, of(second).pk, Role.MEMBER),
            ),
            "each other": (
                lambda first=first, second=second: memberships.end(first, of(second).pk),
                lambda first=first, second=second: memberships.end(second, of(first).pk),
            ),
        }
        said = at_once(*steps[way])
        assert said[0] == ""
        assert said[1] in {"last_owner", "not_found"}
        assert Membership.objects.filter(workspace=workspace, role=Role.OWNER).count() == 1


# ---------------------------------------------------------------- workspaces
def test_an_administrator_makes_a_workspace_and_a_member_does_not(dan: Actor, bob: Actor) -> None:
    made = workspaces.create(User.objects.get(pk=dan.user_id), "  Research   lab ")
    assert made.name == "Research lab"
    assert Membership.objects.get(workspace=made).role == Role.OWNER
    with pytest.raises(Problem, match="not_allowed"):
        workspaces.create(User.objects.get(pk=bob.user_id), "Free of rules")


def test_switching_changes_what_every_page_is_about(alice: Actor, browser: Callable[[Actor], Client]) -> None:
    second = make_workspace("Second")
    make_member(User.objects.get(pk=alice.user_id), second)
    client = browser(alice)
    assert "Switch to" in client.get(PAGE).text
    page = client.post("/workspaces/switch/", {"workspace": second.pk}, follow=True)
    assert "You are in Second now." in page.text
    assert "Second: its members" in client.get(PAGE).text


def test_with_one_workspace_there_is_nothing_to_switch(alice: Actor, browser: Callable[[Actor], Client]) -> None:
    assert "Switch to" not in browser(alice).get(PAGE).text


def test_a_foreign_workspace_and_none_at_all_are_the_same_404(
    alice: Actor, charlie: Actor, browser: Callable[[Actor], Client]
) -> None:
    client = browser(alice)
    answers = [
        client.post("/workspaces/switch/", {"workspace": one}) for one in (charlie.workspace_id, NOWHERE, "x", "")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_deleting_takes_the_name_and_leaves_the_audit(
    alice: Actor, bob: Actor, browser: Callable[[Actor], Client]
) -> None:
    client = browser(alice)
    assert "for its 2 members" in client.get(f"{PAGE}delete/").text
    wrong = client.post(f"{PAGE}delete/", {"name": "Exampel"})
    assert (wrong.status_code, "Exampel" in wrong.text) == (400, True)
    client.post(f"{PAGE}delete/", {"name": "Example"})
    assert not Workspace.objects.filter(pk=alice.workspace_id).exists()
    assert actions(alice) == ["workspace.deleted"]
    assert not User.objects.get(pk=alice.user_id).is_staff


@pytest.mark.parametrize("who", ["bob", "dan"])
def test_only_an_owner_deletes(
    who: str, dan: Actor, browser: Callable[[Actor], Client], request: pytest.FixtureRequest
) -> None:
    client = browser(request.getfixturevalue(who))
    assert client.get(f"{PAGE}delete/").status_code == 403
    assert client.post(f"{PAGE}delete/", {"name": "Example"}).status_code == 403
    assert Workspace.objects.filter(name="Example").exists()
