"""API tokens: what is stored, what is refused, and what stops one at once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts import memberships, tokens
from accounts.models import ApiToken, Membership, Role, User, Workspace
from accounts.policies import SCOPES_BY_ROLE, Actor, actor_for

ME = "/api/v1/me/"


def mint(actor: Actor, scopes: tuple[str, ...] = ("chat", "models"), days: int = 90) -> tuple[ApiToken, str]:
    user, workspace = User.objects.get(pk=actor.user_id), Workspace.objects.get(pk=actor.workspace_id)
    return tokens.mint(user, workspace, "Script", scopes, days)


def bearer(plain: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {plain}"}


@pytest.fixture
def plain(alice: Actor) -> str:
    return mint(alice)[1]


def test_the_text_is_shown_once_and_only_its_digest_is_stored(alice: Actor) -> None:
    token, plain = mint(alice)
    assert tokens.SHAPE.fullmatch(plain)
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert plain[len(tokens.PREFIX) :] not in str(row)
    assert row["hint"] == f"parley_pat_…{plain[-4:]}"
    assert row["expires_at"] - row["created_at"] > timedelta(days=89)


@pytest.mark.parametrize("junk", ["", "x", "parley_pat_", "parley_pat_" + "a" * 49, "sk-" + "a" * 60, "é" * 60, "\x00"])
def test_junk_is_refused_without_a_query(
    junk: str, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0), pytest.raises(tokens.TokenRefused):
        tokens.verify(junk)


def test_one_changed_character_fails_the_checksum(plain: str) -> None:
    other = "b" if plain[20] != "b" else "c"
    assert tokens.is_well_formed(plain)
    assert not tokens.is_well_formed(plain[:20] + other + plain[21:])


@pytest.mark.parametrize(("scopes", "days"), [((), 90), (("root",), 90), (("chat",), 0), (("chat",), 366)])
def test_a_token_without_scope_or_end_cannot_be_made(alice: Actor, scopes: tuple[str, ...], days: int) -> None:
    with pytest.raises(ValueError, match=r"scopes|days"):
        mint(alice, scopes, days)


def test_a_living_token_says_who_it_is(client: Client, alice: Actor, plain: str) -> None:
    answer = client.get(ME, headers=bearer(plain))
    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(alice.user_id),
        "email": "alice@example.com",
        "name": "alice@example.com",
        "workspace": {"id": str(alice.workspace_id), "name": "Example"},
        "role": "owner",
        "scopes": ["chat", "models"],
    }


def test_without_credentials_the_api_says_how_to_come_in(client: Client, db: None) -> None:
    answer = client.get(ME)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="parley"'


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "token_expired"),
        ({"revoked_at": timezone.now()}, "token_revoked"),
    ],
)
def test_a_dead_token_is_refused_with_the_reason(
    client: Client, alice: Actor, change: dict[str, object], code: str
) -> None:
    token, plain = mint(alice)
    ApiToken.objects.filter(pk=token.pk).update(**change)
    answer = client.get(ME, headers=bearer(plain))
    assert answer.status_code == 401
    assert answer.json()["code"] == code


def test_a_token_of_a_closed_account_stops_at_once(client: Client, alice: Actor, plain: str) -> None:
    User.objects.filter(pk=alice.user_id).update(is_active=False)
    assert client.get(ME, headers=bearer(plain)).status_code == 401


def test_a_token_of_a_removed_member_stops_at_once(client: Client, bob: Actor) -> None:
    plain = mint(bob)[1]
    memberships.revoke(Membership.objects.get(user_id=bob.user_id))
    assert client.get(ME, headers=bearer(plain)).status_code == 401


def test_a_token_acts_with_the_role_its_owner_has_now(client: Client, bob: Actor) -> None:
    plain = mint(bob)[1]
    assert client.get(ME, headers=bearer(plain)).json()["role"] == "member"
    memberships.grant(User.objects.get(pk=bob.user_id), Workspace.objects.get(pk=bob.workspace_id), Role.ADMIN)
    assert client.get(ME, headers=bearer(plain)).json()["role"] == "admin"


def test_a_token_is_cut_to_what_the_role_may_at_each_use(bob: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    membership = Membership.objects.get(user_id=bob.user_id)
    monkeypatch.setitem(SCOPES_BY_ROLE, Role.MEMBER, frozenset({"models"}))
    assert actor_for(membership, frozenset({"chat", "models"})).scopes == {"models"}


@pytest.mark.parametrize("header", ["X-Api-Key", "X-Authorization", "Api-Key"])
def test_only_the_authorization_header_carries_a_token(client: Client, plain: str, header: str) -> None:
    assert client.get(ME, headers={header: plain}).status_code == 401
    assert client.get(f"{ME}?token={plain}&access_token={plain}").status_code == 401


def test_last_use_is_written_once_a_minute(alice: Actor, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    token, plain = mint(alice)
    tokens.verify(plain)
    first = ApiToken.objects.get(pk=token.pk).last_used_at
    with django_assert_num_queries(2):
        tokens.verify(plain)
    assert ApiToken.objects.get(pk=token.pk).last_used_at == first
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now() - timedelta(minutes=2))
    tokens.verify(plain)
    later = ApiToken.objects.get(pk=token.pk).last_used_at
    assert first is not None
    assert later is not None
    assert later >= first
