"""The credentials API, as alice (owner), bob (member) and charlie (outsider)."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.policies import Actor
from providers import credentials
from providers.models import Credential
from tests.providers.people import api_client, page_client

LIST = "/api/v1/credentials/"
CANARY = "sk-canary-aaaaaaaaaaaaaaaaaaaaaaaa4f2a"
REVOKED = "sk-revoked-aaaaaaaaaaaaaaaaaaaaaaaa9c1e"

pytestmark = pytest.mark.django_db


def send(client: Client, **body: Any) -> Any:
    return client.post(LIST, json.dumps(body), content_type="application/json")


def stored(actor: Actor, *, shared: bool = False) -> Credential:
    return credentials.save(actor, provider_id="openai", secret=CANARY, shared=shared)


def test_a_key_is_kept_checked_and_never_shown(alice: Actor, vendors: str) -> None:
    client = api_client(alice)
    response = send(client, provider_id="openai", secret=CANARY, label="mine")
    assert response.status_code == 201
    body = response.json()
    assert body["hint"] == "sk-…4f2a"
    assert (body["source"], body["state"], body["label"]) == ("own", "working", "mine")
    assert "secret" not in body
    assert "fingerprint" not in body
    listed = client.get(LIST)
    assert [one["id"] for one in listed.json()["results"]] == [body["id"]]
    assert CANARY not in response.content.decode() + listed.content.decode()


def test_a_refused_key_is_kept_and_says_so(alice: Actor, vendors: str) -> None:
    body = send(api_client(alice), provider_id="openai", secret=REVOKED).json()
    assert (body["state"], body["error_code"]) == ("refused", "invalid_auth")


def test_a_key_can_be_checked_again(alice: Actor, vendors: str) -> None:
    row = stored(alice)
    response = api_client(alice).post(f"{LIST}{row.pk}/check/")
    assert (response.status_code, response.json()["state"]) == (200, "working")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"provider_id": "openai"}, 400),
        ({"provider_id": "openai", "secret": ""}, 422),
        ({"provider_id": "openai", "secret": "sk-ant-oat01-aaaaaaaaaaaaaaaa"}, 422),
        ({"provider_id": "nonsense", "secret": CANARY}, 422),
        ({"provider_id": "openai", "secret": [CANARY]}, 400),
        ({"provider_id": "openai", "secret": CANARY, "base_url": "ftp://example.com", "shared": True}, 422),
        ({"provider_id": "openai", "secret": CANARY, "shared": "maybe"}, 400),
        ({"provider_id": "openai", "secret": "\x00" * 20}, 400),
    ],
)
def test_bad_input_is_a_typed_refusal_that_repeats_no_key(alice: Actor, body: dict[str, Any], status: int) -> None:
    response = send(api_client(alice), **body)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert CANARY not in response.content.decode()
    assert not Credential.objects.exists()


def test_a_member_manages_their_own_key_and_only_sees_the_workspace_s(alice: Actor, bob: Actor) -> None:
    shared, own = stored(alice, shared=True), stored(bob)
    client = api_client(bob)
    assert {one["id"] for one in client.get(LIST).json()["results"]} == {str(shared.pk), str(own.pk)}
    assert send(client, provider_id="openai", secret=CANARY, shared=True).status_code == 403
    assert client.delete(f"{LIST}{shared.pk}/").status_code == 403
    assert client.delete(f"{LIST}{own.pk}/").status_code == 204
    assert list(Credential.objects.all()) == [shared]


def test_a_foreign_key_and_a_missing_one_answer_the_same_404(alice: Actor, bob: Actor, charlie: Actor) -> None:
    shared, own = stored(alice, shared=True), stored(alice)
    missing = uuid.uuid4()
    for client, rows in ((api_client(charlie), (shared.pk, own.pk, missing)), (api_client(bob), (own.pk, missing))):
        answers = set()
        for pk in rows:
            for response in (
                client.get(f"{LIST}{pk}/"),
                client.delete(f"{LIST}{pk}/"),
                client.post(f"{LIST}{pk}/check/"),
            ):
                answers.add((response.status_code, response.content))
        assert len(answers) == 1
        assert answers.pop()[0] == 404
    assert api_client(charlie).get(LIST).json() == {"results": []}
    assert Credential.objects.count() == 2


def test_a_token_without_the_scope_gets_in_nowhere(alice: Actor) -> None:
    row = stored(alice)
    client = api_client(alice, ("models", "chat"))
    assert client.get(LIST).status_code == 403
    assert send(client, provider_id="openai", secret=REVOKED).status_code == 403
    assert client.delete(f"{LIST}{row.pk}/").status_code == 403
    assert client.post(f"{LIST}{row.pk}/check/").status_code == 403
    assert Credential.objects.get().hint == "sk-…4f2a"


def test_nobody_without_a_token_or_a_session_gets_in() -> None:
    assert Client().get(LIST).status_code == 401


def test_a_session_is_as_good_as_a_token(alice: Actor) -> None:
    assert page_client(alice).get(LIST).status_code == 200


def test_listing_costs_the_same_with_many_keys(alice: Actor, django_assert_num_queries: Any) -> None:
    client = api_client(alice)
    client.get(LIST)
    for provider in ("openai", "gemini"):
        for shared in (False, True):
            credentials.save(alice, provider_id=provider, secret=CANARY, shared=shared)
    with django_assert_num_queries(3):  # token, membership, list
        assert len(client.get(LIST).json()["results"]) == 4
