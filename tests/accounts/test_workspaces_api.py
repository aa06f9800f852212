"""Workspaces, members, invitations and the audit for programs: what the pages do, under the same rules."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import AsyncClient, Client

from accounts import audit, tokens
from accounts.models import Invitation, Membership, User, Workspace
from accounts.policies import SCOPES, Actor
from tests.accounts.conftest import prove_passkey
from tests.factories import make_member, make_user, make_workspace

API = "/api/v1/"
NOWHERE = "00000000-0000-4000-8000-00000000dead"


def bearer(actor: Actor, *scopes: str) -> dict[str, str]:
    user, workspace = User.objects.get(pk=actor.user_id), Workspace.objects.get(pk=actor.workspace_id)
    return {"Authorization": f"Bearer {tokens.mint(user, workspace, 'test', scopes or SCOPES)[1]}"}


@pytest.fixture
def api() -> Callable[..., Any]:
    """`api(actor, method, path, **body)`: the answer to a token with every scope."""

    def call(actor: Actor, method: str, path: str, **body: Any) -> Any:
        client = Client(headers=bearer(actor))
        return client.generic(method, API + path, json.dumps(body) if body else "", content_type="application/json")

    return call


def of(actor: Actor) -> Membership:
    return Membership.objects.get(user_id=actor.user_id, workspace_id=actor.workspace_id)


def test_a_token_sees_the_one_workspace_it_was_made_for(alice: Actor, api: Callable[..., Any]) -> None:
    second = make_workspace("Second")
    make_member(User.objects.get(pk=alice.user_id), second)
    rows = api(alice, "GET", "workspaces/").json()["results"]
    assert [(row["name"], row["role"], row["current"]) for row in rows] == [("Example", "owner", True)]
    assert api(alice, "GET", f"workspaces/{second.pk}/").status_code == 404


def test_a_session_sees_all_of_its_persons(alice: Actor, client: Client) -> None:
    make_member(User.objects.get(pk=alice.user_id), make_workspace("Second"))
    client.force_login(User.objects.get(pk=alice.user_id))
    rows = client.get(f"{API}workspaces/").json()["results"]
    assert [(row["name"], row["current"]) for row in rows] == [("Example", True), ("Second", False)]


def test_the_workspace_is_renamed_by_administrators_only(alice: Actor, bob: Actor, api: Callable[..., Any]) -> None:
    path = f"workspaces/{alice.workspace_id}/"
    assert api(bob, "PATCH", path, name="Mine").status_code == 403
    assert api(alice, "PATCH", path, name="Ours").json()["name"] == "Ours"


def test_it_is_deleted_by_an_owner(alice: Actor, bob: Actor, api: Callable[..., Any]) -> None:
    path = f"workspaces/{alice.workspace_id}/"
    assert api(bob, "DELETE", path).status_code == 403
    assert api(alice, "DELETE", path).status_code == 204
    assert not Workspace.objects.exists()


def test_another_workspace_is_made_and_owned(alice: Actor, bob: Actor, api: Callable[..., Any]) -> None:
    made = api(alice, "POST", "workspaces/", name="Research")
    assert (made.status_code, made.json()["role"], made.json()["current"]) == (201, "owner", False)
    assert api(bob, "POST", "workspaces/", name="Free").status_code == 403


def test_members_are_read_changed_and_removed(alice: Actor, bob: Actor, api: Callable[..., Any]) -> None:
    listed = api(bob, "GET", "members/").json()["results"]
    assert [(row["email"], row["role"]) for row in listed] == [
        ("alice@example.com", "owner"),
        ("bob@example.com", "member"),
    ]
    path = f"members/{of(bob).pk}/"
    assert api(bob, "PATCH", path, role="admin").status_code == 403
    assert api(alice, "PATCH", path, role="admin").json()["role"] == "admin"
    assert api(alice, "PATCH", path, role="king").status_code == 400
    assert api(alice, "DELETE", path).status_code == 204
    refused = api(alice, "DELETE", f"members/{of(alice).pk}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_foreign_member_and_a_missing_one_are_the_same(
    alice: Actor, charlie: Actor, api: Callable[..., Any], method: str
) -> None:
    answers = [api(alice, method, f"members/{pk}/", role="x") for pk in (of(charlie).pk, NOWHERE)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_an_invitation_goes_from_sent_to_accepted(alice: Actor, bob: Actor, api: Callable[..., Any]) -> None:
    assert api(bob, "POST", "invitations/", email="eve@example.com").status_code == 403
    made = api(alice, "POST", "invitations/", email="Eve@example.com", role="admin").json()
    assert (made["email"], made["role"], made["state"]) == ("eve@example.com", "admin", "open")
    listed = api(alice, "GET", "invitations/").json()["results"]
    assert [row["email"] for row in listed] == ["eve@example.com"]
    assert "url" not in listed[0]
    assert api(bob, "GET", "invitations/").json() == {"results": []}
    eve = make_user("eve@example.com")
    EmailAddress.objects.create(user=eve, email=eve.email, verified=True, primary=True)
    client = Client()
    client.force_login(eve)
    token = made["url"].rstrip("/").split("/")[-1]
    joined = client.post(f"{API}invitations/accept/", {"token": token}, content_type="application/json")
    assert (joined.status_code, joined.json()["role"]) == (200, "admin")
    again = client.post(f"{API}invitations/accept/", {"token": token}, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (410, "invitation_accepted")


def test_an_invitation_is_taken_back(alice: Actor, bob: Actor, charlie: Actor, api: Callable[..., Any]) -> None:
    pk = api(alice, "POST", "invitations/", email="eve@example.com").json()["id"]
    assert [api(who, "DELETE", f"invitations/{pk}/").status_code for who in (bob, charlie, alice)] == [403, 404, 204]
    assert Invitation.objects.get().state == "revoked"


def test_a_session_without_a_fresh_proof_manages_nobody(alice: Actor, bob: Actor, client: Client) -> None:
    client.force_login(User.objects.get(pk=alice.user_id))

    def calls() -> list[Any]:
        return [
            client.post(f"{API}invitations/", {"email": "eve@example.com"}, content_type="application/json"),
            client.patch(f"{API}members/{of(bob).pk}/", {"role": "admin"}, content_type="application/json"),
        ]

    assert [(call.status_code, call.json()["code"]) for call in calls()] == [(403, "proof_needed")] * 2
    prove_passkey(client)
    assert [call.status_code for call in calls()] == [201, 200]


def test_a_token_without_the_scope_sees_nothing(alice: Actor, client: Client) -> None:
    headers = bearer(alice, "chat")
    for path in ("workspaces/", "members/", "invitations/", "audit/", "audit/export/"):
        assert client.get(API + path, headers=headers).json()["code"] == "scope_missing"


# ---------------------------------------------------------------- audit
@pytest.fixture
def entries(alice: Actor, charlie: Actor) -> None:
    for actor in (alice, charlie):
        audit.record("member.joined", user=actor.user_id, workspace_id=actor.workspace_id, target="=1+1")
        audit.record("credential.stored", user=actor.user_id, workspace_id=actor.workspace_id, target="openai …abcd")


def listed(answer: Any) -> list[tuple[str, str]]:
    return [(row["action"], row["who"]) for row in answer.json()["results"]]


def test_administrators_read_their_own_audit(entries: None, alice: Actor, bob: Actor, api: Callable[..., Any]) -> None:
    mine = [("api_token.created", "alice@example.com")]
    known = [("credential.stored", "alice@example.com"), ("member.joined", "alice@example.com")]
    assert listed(api(alice, "GET", "audit/")) == mine + known
    assert api(bob, "GET", "audit/").status_code == 403
    assert api(bob, "GET", "audit/export/").status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=member.joined", 1),
        ("action=credential.", 1),
        ("who=Alice@example.com&action=member.", 1),
        ("who=charlie@example.com", 0),
        ("target=OPENAI", 1),
        ("since=2026-01-01&action=member.", 1),
        ("until=2026-01-01T00:00:00Z", 0),
    ],
)
def test_it_is_narrowed_down(entries: None, alice: Actor, api: Callable[..., Any], query: str, found: int) -> None:
    assert len(listed(api(alice, "GET", f"audit/?{query}"))) == found


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-13-01", "since=2026-02-30T00:00Z"])
def test_a_time_that_is_none_is_refused(alice: Actor, api: Callable[..., Any], query: str) -> None:
    assert api(alice, "GET", f"audit/?{query}").json()["code"] == "invalid_time"


async def exported(actor: Actor, query: str) -> str:
    from asgiref.sync import sync_to_async

    answer = await AsyncClient().get(f"{API}audit/export/?{query}", headers=await sync_to_async(bearer)(actor))
    assert answer.status_code == 200
    return b"".join([chunk async for chunk in answer.streaming_content]).decode()  # type: ignore[union-attr]


@pytest.mark.anyio
@pytest.mark.django_db(transaction=True)
async def test_it_is_exported_without_a_formula_for_a_spreadsheet(
    entries: None, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.audit_export.AT_ONCE", 1)
    rows = list(csv.DictReader(io.StringIO(await exported(alice, "who=alice@example.com&action=member."))))
    assert [(row["action"], row["target"], row["who"]) for row in rows] == [
        ("member.joined", "'=1+1", "alice@example.com")
    ]
    lines = [json.loads(line) for line in (await exported(alice, "as=json&until=2099-01-01")).splitlines()]
    known = [line["action"] for line in lines if not line["action"].startswith("api_token.")]
    assert known == ["credential.stored", "member.joined"]
