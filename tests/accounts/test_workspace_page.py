"""The page of a workspace: who is there, and what an administrator does about it."""

import re
from collections.abc import Callable
from typing import Any

from django.core import mail
from django.test import Client

from accounts.models import Invitation, User, Workspace
from accounts.policies import Actor
from tests.accounts.test_workspaces import PAGE, browser, dan, of, roles
from tests.factories import make_member, make_user

__all__ = ["browser", "dan"]


def test_a_member_reads_who_is_there_and_changes_nothing(bob: Actor, browser: Callable[[Actor], Client]) -> None:
    page = browser(bob).get(PAGE).text
    assert "alice@example.com" in page
    assert "Send invitation" not in page
    assert "Change" not in page
    assert "Leave" in page


def test_an_owner_changes_a_role_and_removes_a_member(
    alice: Actor, bob: Actor, browser: Callable[[Actor], Client]
) -> None:
    client = browser(alice)
    page = client.post(f"{PAGE}members/{of(bob).pk}/role/", {"role": "admin"}, follow=True)
    assert "bob@example.com is administrator now." in page.text
    asked = client.get(f"{PAGE}members/{of(bob).pk}/remove/")
    assert "Remove bob@example.com?" in asked.text
    assert roles(alice) == {"alice@example.com": "owner", "bob@example.com": "admin"}
    client.post(f"{PAGE}members/{of(bob).pk}/remove/")
    assert roles(alice) == {"alice@example.com": "owner"}


def test_the_last_owner_is_told_what_to_do_first(alice: Actor, browser: Callable[[Actor], Client]) -> None:
    client = browser(alice)
    assert "The last owner stays" in client.get(f"{PAGE}members/{of(alice).pk}/remove/").text
    page = client.post(f"{PAGE}members/{of(alice).pk}/remove/", follow=True)
    assert "A workspace keeps at least one owner." in page.text


def test_managing_people_asks_for_a_fresh_proof(alice: Actor, bob: Actor) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=alice.user_id))
    for path in (f"members/{of(bob).pk}/role/", f"members/{of(bob).pk}/remove/", "invitations/", "delete/"):
        answer = client.post(PAGE + path, {"role": "admin", "email": "eve@example.com", "name": "Example"})
        assert (answer.status_code, "/accounts/" in answer["Location"]) == (302, True)
    assert roles(alice) == {"alice@example.com": "owner", "bob@example.com": "member"}
    assert not Invitation.objects.exists()


def test_a_page_of_members_costs_few_queries(
    alice: Actor, browser: Callable[[Actor], Client], django_assert_max_num_queries: Any
) -> None:
    workspace = Workspace.objects.get(pk=alice.workspace_id)
    for number in range(20):
        make_member(make_user(f"m{number}@example.com"), workspace)
        Invitation.objects.create(
            workspace=workspace,
            email=f"i{number}@example.com",
            digest=str(number),
            invited_by_id=alice.user_id,
            sent_at="2026-11-25T00:00Z",
            expires_at="2026-12-25T00:00Z",
        )
    client = browser(alice)
    with django_assert_max_num_queries(12):
        client.get(PAGE)


def test_an_invitation_is_sent_and_its_link_shown_once(
    alice: Actor, browser: Callable[[Actor], Client], django_capture_on_commit_callbacks: Any
) -> None:
    client = browser(alice)
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(f"{PAGE}invitations/", {"email": "Eve@example.com", "role": "member"})
    link = re.search(r'id="new-link">([^<]+)<', page.text)
    assert link
    assert mail.outbox[0].to == ["eve@example.com"]
    assert link[1] in mail.outbox[0].body
    assert link[1] not in client.get(PAGE).text
    assert "eve@example.com" in client.get(PAGE).text


def test_what_was_typed_stays_when_it_is_refused(alice: Actor, bob: Actor, browser: Callable[[Actor], Client]) -> None:
    page = browser(alice).post(f"{PAGE}invitations/", {"email": "bob@example.com", "role": "admin"})
    assert page.status_code == 409
    assert "This person is a member already." in page.text
    assert 'value="bob@example.com"' in page.text
