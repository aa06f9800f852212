"""What an operator does from the command line."""

from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from accounts import tokens
from accounts.models import AuditEntry, Membership, Role, SignInLink, User, Workspace


def run(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(*words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_create_member_makes_person_workspace_and_membership(db: None) -> None:
    out, _ = run("create_member", "Alice@Example.com", "--role", "owner")
    user = User.objects.get()
    assert user.email == "alice@example.com"
    assert user.is_staff
    assert not user.is_superuser
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    assert Membership.objects.get(user=user).role == Role.OWNER
    assert Workspace.objects.get().name == "Workspace"
    assert "/enter/" in out


def test_create_member_can_be_repeated(db: None) -> None:
    for _ in range(2):
        run("create_member", "alice@example.com", "--role", "owner")
    assert (User.objects.count(), Membership.objects.count(), Workspace.objects.count()) == (1, 1, 1)
    assert EmailAddress.objects.count() == 1


def test_create_member_changes_a_role_but_keeps_an_owner(db: None) -> None:
    run("create_member", "alice@example.com", "--role", "owner")
    run("create_member", "bob@example.com", "--role", "admin")
    assert User.objects.get(email="bob@example.com").is_staff
    run("create_member", "bob@example.com", "--role", "member")
    assert not User.objects.get(email="bob@example.com").is_staff
    with pytest.raises(CommandError, match="owner"):
        run("create_member", "alice@example.com", "--role", "member")


def test_create_member_can_name_the_workspace(db: None) -> None:
    run("create_member", "alice@example.com", "--workspace", "Research")
    assert Workspace.objects.get().name == "Research"


def test_create_member_refuses_what_is_no_address(db: None) -> None:
    with pytest.raises(CommandError, match="e-mail"):
        run("create_member", "nobody")
    assert not User.objects.exists()


def test_production_prints_no_link(db: None, settings: Any) -> None:
    settings.DEVELOPMENT = False
    out, _ = run("create_member", "alice@example.com")
    assert "/enter/" not in out
    assert not SignInLink.objects.exists()


def test_create_api_token_prints_the_token_and_nothing_else(db: None) -> None:
    run("create_member", "alice@example.com", "--role", "owner")
    out, err = run("create_api_token", "alice@example.com", "--scopes", "models")
    assert tokens.verify(out.strip()).scopes == ["models"]
    assert out.strip() not in err


@pytest.mark.parametrize("words", [("nobody@example.com",), ("alice@example.com", "--days", "400")])
def test_create_api_token_says_what_is_wrong(db: None, words: tuple[str, ...]) -> None:
    run("create_member", "alice@example.com")
    with pytest.raises(CommandError):
        run("create_api_token", *words)


def test_set_superuser_gives_it_and_takes_it_back(db: None) -> None:
    run("create_member", "alice@example.com")
    run("set_superuser", "Alice@example.com")
    user = User.objects.get()
    assert (user.is_superuser, user.is_staff) == (True, True)
    run("set_superuser", "alice@example.com", "--revoke")
    user = User.objects.get()
    assert (user.is_superuser, user.is_staff) == (False, False)
    written = AuditEntry.objects.filter(target="alice@example.com").order_by("pk").values_list("action", flat=True)
    assert list(written)[-2:] == ["identity.superuser_granted", "identity.superuser_revoked"]


def test_set_superuser_knows_nobody_else(db: None) -> None:
    with pytest.raises(CommandError, match="nobody"):
        run("set_superuser", "eve@example.com")
