"""The providers page, as alice (owner), bob (member) and charlie (outsider) use it, without a script."""

import html
import re
from typing import Any

import pytest
from django.test import AsyncClient, Client

from accounts.models import User
from accounts.policies import Actor
from providers import credentials
from providers.models import Credential
from tests.providers.people import page_client

PAGE = "/settings/providers/"
KEEP = "/settings/providers/openai/key/"
CANARY = "sk-canary-aaaaaaaaaaaaaaaaaaaaaaaa4f2a"
REVOKED = "sk-revoked-aaaaaaaaaaaaaaaaaaaaaaaa9c1e"

pytestmark = pytest.mark.django_db


def stored(actor: Actor, *, shared: bool = False, secret: str = CANARY) -> Credential:
    return credentials.save(actor, provider_id="openai", secret=secret, shared=shared)


def text_of(response: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


def test_nobody_who_is_not_signed_in_gets_in() -> None:
    assert Client().get(PAGE).status_code == 302
    assert Client().post(KEEP, {"secret": CANARY}).status_code == 302
    assert not Credential.objects.exists()


def test_every_available_provider_has_a_panel_with_a_write_only_field(alice: Actor) -> None:
    page = page_client(alice).get(PAGE).content.decode()
    for provider in ("openai", "gemini", "mistral", "openai_compatible"):
        assert f'id="p-{provider}"' in page
        assert f'id="w-{provider}"' in page
    assert page.count('type="password"') >= 5
    assert not re.search(r'type="password"[^>]*\svalue=', page)


def test_a_good_key_is_saved_checked_and_working_at_once(alice: Actor, vendors: str) -> None:
    response = page_client(alice).post(KEEP, {"secret": CANARY}, follow=True)
    assert response.redirect_chain == [(f"{PAGE}#p-openai", 302)]
    said = text_of(response)
    assert "OpenAI accepted the key in" in said
    assert "sk-…4f2a" in said
    assert "Your key" in said
    assert CANARY not in response.content.decode()
    row = Credential.objects.get()
    assert (row.user_id, row.state) == (alice.user_id, "working")


def test_a_refused_key_is_kept_and_says_so_beside_the_way_to_replace_it(alice: Actor, vendors: str) -> None:
    response = page_client(alice).post(KEEP, {"secret": REVOKED}, follow=True)
    said = text_of(response)
    assert "OpenAI refused this key. The key ending 9c1e was refused just now." in said
    assert re.search(r"<details[^>]* open>.*?Replace the key", response.content.decode(), re.DOTALL)
    assert REVOKED not in response.content.decode()
    assert Credential.objects.get().state == "refused"


def test_a_provider_that_does_not_answer_leaves_the_key_unjudged(alice: Actor, nobody: str) -> None:
    said = text_of(page_client(alice).post(KEEP, {"secret": CANARY}, follow=True))
    assert "OpenAI is not reachable. The key is kept" in said
    assert Credential.objects.get().state == "unreachable"


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "Paste a key first."),
        ("two words", "plain letters"),
        ("sk-ant-oat01-aaaaaaaaaaaaaaaaaaaaaaaa", "terms forbid"),
        ("x" * 2000, "at most 1024 characters"),
    ],
)
def test_what_cannot_be_a_key_is_refused_under_its_field_and_not_repeated(
    alice: Actor, secret: str, reason: str
) -> None:
    response = page_client(alice).post(KEEP, {"secret": secret})
    page = response.content.decode()
    assert response.status_code == 422
    assert reason in page
    assert 'aria-invalid="true"' in page
    assert not secret or secret not in page
    assert not Credential.objects.exists()


def test_an_administrator_keeps_a_workspace_key_and_members_only_see_its_hint(
    alice: Actor, bob: Actor, vendors: str
) -> None:
    response = page_client(alice).post(KEEP, {"secret": CANARY, "shared": "1"}, follow=True)
    assert response.redirect_chain == [(f"{PAGE}#w-openai", 302)]
    assert Credential.objects.get().user_id is None
    page = page_client(bob).get(PAGE)
    said = text_of(page)
    assert "Workspace key sk-…4f2a" in said
    assert "Used for requests Workspace key" in said
    assert "Workspace keys" not in said
    assert "Remove the OpenAI key" not in said


def test_a_refused_workspace_key_tells_members_what_they_can_do(alice: Actor, bob: Actor, vendors: str) -> None:
    page_client(alice).post(KEEP, {"secret": REVOKED, "shared": "1"})
    said = text_of(page_client(bob).get(PAGE))
    assert "OpenAI refused the workspace's key. It was refused just now. Add a key of your own" in said


def test_a_member_cannot_keep_replace_or_remove_a_workspace_key(alice: Actor, bob: Actor) -> None:
    row = stored(alice, shared=True)
    client = page_client(bob)
    assert client.post(KEEP, {"secret": REVOKED, "shared": "1"}).status_code == 403
    assert client.post(KEEP, {"secret": REVOKED, "base_url": "https://evil.example.com"}).status_code == 403
    assert client.post(f"/settings/providers/keys/{row.pk}/remove/").status_code == 403
    assert Credential.objects.get().hint == "sk-…4f2a"


def test_an_outsider_finds_nothing_and_a_missing_key_looks_the_same(alice: Actor, charlie: Actor) -> None:
    row = stored(alice, shared=True)
    client = page_client(charlie)
    assert "4f2a" not in client.get(PAGE).content.decode()
    for pk in (row.pk, "00000000-0000-0000-0000-000000000000"):
        assert client.post(f"/settings/providers/keys/{pk}/remove/").status_code == 404
        assert client.post("/settings/providers/check/", {"ref": f"credential:{pk}"}).status_code == 404
    for ref in ("", "environment:openai", "nonsense", "sandbox:openai"):
        assert client.post("/settings/providers/check/", {"ref": ref}).status_code == 404
    assert Credential.objects.filter(pk=row.pk).exists()


def test_a_provider_that_is_not_there_answers_404(alice: Actor) -> None:
    assert page_client(alice).post("/settings/providers/nonsense/key/", {"secret": CANARY}).status_code == 404


def test_removing_says_before_what_happens_and_afterwards_that_it_did(alice: Actor) -> None:
    row = stored(alice)
    stored(alice, shared=True, secret="sk-other-aaaaaaaaaaaaaaaaaaaaaaaaaa0b0b")
    client = page_client(alice)
    before = text_of(client.get(PAGE))
    assert "Your requests to OpenAI then use the workspace's key." in before
    assert "stop working until another key is added." in before
    assert "The workspace also has a key. It is used if you remove yours." in before
    after = client.post(f"/settings/providers/keys/{row.pk}/remove/", follow=True)
    assert "The OpenAI key is removed." in text_of(after)
    assert Credential.objects.get().user_id is None


def test_check_now_asks_again(alice: Actor, vendors: str) -> None:
    row = stored(alice)
    response = page_client(alice).post("/settings/providers/check/", {"ref": f"credential:{row.pk}"}, follow=True)
    assert "accepted the key" in text_of(response)
    assert Credential.objects.get().state == "working"


def test_the_installation_s_key_and_the_sandbox_can_be_checked_by_everybody(
    bob: Actor, vendors: str, sandbox: str, settings: Any
) -> None:
    settings.PROVIDER_KEYS = {"openai": CANARY}
    client = page_client(bob)
    assert "Used for requests Installation key" in text_of(client.get(PAGE))
    for ref in ("environment:openai", "sandbox:gemini"):
        assert "accepted the key" in text_of(client.post("/settings/providers/check/", {"ref": ref}, follow=True))


def test_the_page_costs_the_same_with_many_keys(alice: Actor, django_assert_max_num_queries: Any) -> None:
    client = page_client(alice)
    for provider in ("openai", "gemini"):
        for shared in (False, True):
            credentials.save(alice, provider_id=provider, secret=CANARY, shared=shared)
    with django_assert_max_num_queries(12):
        assert client.get(PAGE).status_code == 200


@pytest.mark.anyio
@pytest.mark.usefixtures("closing")
@pytest.mark.django_db(transaction=True)
async def test_a_key_is_kept_over_asgi_too(vendors: str) -> None:
    from asgiref.sync import sync_to_async

    from tests.factories import make_actor

    alice = await sync_to_async(make_actor)()
    client = AsyncClient()
    await client.aforce_login(await User.objects.aget(pk=alice.user_id))
    response = await client.post(KEEP, {"secret": CANARY})
    assert response.status_code == 302
    assert (await Credential.objects.aget()).state == "working"
