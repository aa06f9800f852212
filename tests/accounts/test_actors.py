"""From a request or a socket to an actor: which workspace, which role, and nobody else's."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.test import Client, RequestFactory

from accounts import memberships, tokens
from accounts.actors import ENROL_KEY, WORKSPACE_KEY, actor_from_scope, actor_of
from accounts.models import Membership, Role, User, Workspace
from accounts.policies import SCOPES, Actor, assignable_roles
from accounts.problems import Problem
from tests.factories import make_member, make_workspace


def request_of(user: Any, **session: str) -> Any:
    request = RequestFactory().get("/")
    request.user, request.session = user, session  # type: ignore[assignment]
    return request


def person(actor: Actor) -> User:
    return User.objects.get(pk=actor.user_id)


def test_a_member_acts_in_the_workspace_joined_first(alice: Actor) -> None:
    make_member(person(alice), make_workspace("Second"))
    assert actor_of(request_of(person(alice))) == alice


def test_the_chosen_workspace_wins(alice: Actor) -> None:
    second = make_workspace("Second")
    make_member(person(alice), second)
    assert actor_of(request_of(person(alice), **{WORKSPACE_KEY: str(second.pk)})).workspace_id == second.pk


def test_a_chosen_workspace_of_others_is_ignored(alice: Actor, charlie: Actor) -> None:
    chosen = request_of(person(alice), **{WORKSPACE_KEY: str(charlie.workspace_id)})
    assert actor_of(chosen).workspace_id == alice.workspace_id


def test_without_a_membership_there_is_no_actor(alice: Actor) -> None:
    Membership.objects.all().delete()
    with pytest.raises(Problem) as refused:
        actor_of(request_of(person(alice)))
    assert (refused.value.status, refused.value.code) == (403, "no_workspace")


def test_nobody_signed_in_is_a_401() -> None:
    with pytest.raises(Problem) as refused:
        actor_of(request_of(AnonymousUser()))
    assert refused.value.status == 401


@pytest.mark.parametrize(
    ("role", "gives"),
    [
        (Role.OWNER, {Role.OWNER, Role.ADMIN, Role.MEMBER}),
        (Role.ADMIN, {Role.ADMIN, Role.MEMBER}),
        (Role.MEMBER, set()),
    ],
)
def test_nobody_gives_a_role_above_their_own(role: Role, gives: set[Role]) -> None:
    assert set(assignable_roles(role)) == gives


# ---------------------------------------------------------------- sockets and streams
def scope_of(client: Client | None = None, bearer: str = "") -> dict[str, Any]:
    headers = []
    if client is not None:
        headers.append((b"cookie", "; ".join(f"{k}={m.value}" for k, m in client.cookies.items()).encode()))
    if bearer:
        headers.append((b"authorization", f"Bearer {bearer}".encode()))
    return {"type": "websocket", "headers": headers}


@pytest.fixture
def signed_in(transactional_db: None, alice: Actor) -> Client:
    client = Client()
    client.force_login(person(alice))
    return client


@pytest.fixture
async def tidy_thread(transactional_db: None) -> AsyncIterator[None]:
    """The thread that look-ups run on keeps a connection, which no test may leave behind."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.mark.anyio
@pytest.mark.usefixtures("tidy_thread")
async def test_a_socket_without_credentials_has_no_actor(signed_in: Client) -> None:
    assert await actor_from_scope(scope_of()) is None
    assert await actor_from_scope({"type": "websocket", "headers": [(b"cookie", b"sessionid=nonsense")]}) is None


@pytest.mark.anyio
@pytest.mark.usefixtures("tidy_thread")
async def test_a_socket_with_a_session_learns_of_the_sign_out(signed_in: Client, alice: Actor) -> None:
    scope = scope_of(signed_in)
    assert await actor_from_scope(scope) == alice
    session = signed_in.session
    await session.aflush()
    assert await actor_from_scope(scope) is None


@pytest.mark.anyio
@pytest.mark.usefixtures("tidy_thread")
async def test_a_half_finished_account_opens_no_socket(signed_in: Client) -> None:
    session = signed_in.session
    await session.aset(ENROL_KEY, True)
    await session.asave()
    assert await actor_from_scope(scope_of(signed_in)) is None


@pytest.mark.anyio
@pytest.mark.usefixtures("tidy_thread")
async def test_a_socket_learns_of_a_closed_account(signed_in: Client, alice: Actor) -> None:
    scope = scope_of(signed_in)
    await User.objects.filter(pk=alice.user_id).aupdate(is_active=False)
    assert await actor_from_scope(scope) is None


@pytest.mark.anyio
@pytest.mark.usefixtures("tidy_thread")
async def test_a_socket_with_a_token_is_held_to_it(signed_in: Client, alice: Actor) -> None:
    user, place = await User.objects.aget(pk=alice.user_id), await Workspace.objects.aget(pk=alice.workspace_id)
    _, plain = await sync_to_async(tokens.mint)(user, place, "Script", ["models"])
    actor = await actor_from_scope(scope_of(signed_in, plain))
    assert actor is not None
    assert actor.scopes == {"models"} < set(SCOPES)
    assert await actor_from_scope(scope_of(signed_in, plain.swapcase())) is None


# ---------------------------------------------------------------- memberships
def test_the_first_to_sign_up_is_a_member_and_no_more(db: None) -> None:
    user = User.objects.create_user("first@example.com")
    memberships.join_as_member(user)
    memberships.join_as_member(user)
    membership = Membership.objects.get()
    user.refresh_from_db()
    assert (membership.role, user.is_staff, user.is_superuser) == (Role.MEMBER, False, False)


def test_the_last_owner_stays(alice: Actor) -> None:
    membership = Membership.objects.get(user_id=alice.user_id)
    with pytest.raises(memberships.LastOwner):
        memberships.revoke(membership)
    with pytest.raises(memberships.LastOwner):
        memberships.grant(membership.user, membership.workspace, Role.ADMIN)
