"""Signing in with one's own ChatGPT plan, and where it is never used."""

import base64
import hashlib
import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import AuditEntry
from accounts.policies import Actor
from catalog.facts import facts_for
from catalog.models import Context
from catalog.routing import RoutingRequest, plan
from chat.gateway import listing, passing
from chat.gateway.shapes import Question
from providers import credentials, renewal, session_keeping
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential
from providers.resolution import Descriptor, Reference, resolve
from tests.catalog.worlds import model, store
from tests.providers.endpoint import Endpoint, endpoint
from tests.providers.people import api_client, page_client
from tests.providers.plans import (
    FOREIGN_KEY,
    ISSUED,
    KEY,
    REQUEST,
    VENDORS_KEY,
    alone,
    forms,
    identity,
    kept,
    ref,
    vendor,
)

__all__ = ["endpoint", "vendor"]
pytestmark = pytest.mark.django_db(transaction=True)

BEGIN, DONE, BACK = "/settings/providers/chatgpt/", "/settings/providers/chatgpt/done/", "/auth/callback"
HOST = {"host": "localhost:8000"}


def leave(client: Client) -> dict[str, str]:
    """Press the button; what the vendor is asked for."""
    page = client.post(BEGIN, headers=HOST)
    assert page.status_code == 200
    url = html.unescape(re.findall(r'content="0;url=([^"]+)"', page.content.decode())[0])
    assert url.startswith("https://auth.openai.com/api/accounts/authorize?")
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def come_back(client: Client, **query: str) -> str:
    answer = client.get(DONE, query, headers=HOST, follow=True)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


# ---------------------------------------------------------------- signing in
def test_a_person_signs_in_and_their_requests_use_the_plan(alice: Actor, vendor: Endpoint, vendors: str) -> None:
    client = page_client(alice)
    assert "Use my ChatGPT plan" in client.get("/settings/providers/", headers=HOST).content.decode()
    sent = leave(client)
    assert (sent["client_id"], sent["resource"]) == ("dynamic_agent_client", "https://api.openai.com/v1")
    assert sent["redirect_uri"] == "http://127.0.0.1:8000/auth/callback"
    assert sent["ext_agent_host_id"].startswith("urn:uuid:")
    assert {"offline_access", "resource.invoke", "chatgpt.tokens.use.direct"} <= set(sent["scope"].split())
    vendor.claims = {"nonce": sent["nonce"]}
    said = come_back(client, code="c0de", state=sent["state"], client_id=ISSUED)
    assert "You are signed in with your ChatGPT plan." in said
    assert "alice@example.com (pro)" in said
    assert "Sign out of the plan" in said
    (form,) = forms(vendor)
    digest = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert (digest, sent["code_challenge_method"]) == (sent["code_challenge"], "S256")
    assert (form["grant_type"], form["code"], form["client_id"]) == ("authorization_code", "c0de", ISSUED)
    row = Credential.objects.get()
    assert (row.user_id, row.kind, row.method, row.state) == (alice.user_id, "session", "openai_chatgpt", "working")
    used = facts_for(alice).resolution(model("openai/gpt-sandbox")).chosen
    assert used is not None
    assert used.ref == ref(row)
    written = list(AuditEntry.objects.values_list("action", flat=True).order_by("pk"))
    assert [one for one in written if one.startswith("credential.")] == [
        "credential.stored", "credential.mode_set", "credential.checked",
    ]  # fmt: skip
    assert "rt_FAKE" not in str(list(AuditEntry.objects.values()))
    # The next sign-in comes under the id that was issued.
    assert leave(client)["client_id"] == ISSUED


def test_the_browser_is_led_back_to_the_host_it_is_signed_in_on(alice: Actor, vendor: Endpoint) -> None:
    client = page_client(alice)
    leave(client)
    there = {"host": "127.0.0.1:8000"}
    assert client.get(f"{BACK}?code=c&state=s", headers=there)["Location"] == f"{DONE}?code=c&state=s"
    elsewhere = Client().get(f"{BACK}?code=c&state=s", headers=there)["Location"]
    assert elsewhere == f"http://localhost:8000{DONE}?code=c&state=s"


@pytest.mark.parametrize("how", ["state", "twice", "late", "nothing", "other person"])
def test_what_was_not_begun_by_this_person_here_is_not_redeemed(
    alice: Actor, bob: Actor, vendor: Endpoint, how: str
) -> None:
    client = page_client(alice)
    sent = leave(client)
    query = {"code": "c0de", "state": sent["state"], "client_id": ISSUED}
    session: Any = client.session
    match how:
        case "state":
            query["state"] = "another"
        case "twice":
            come_back(client, **(query | {"state": "another"}))
        case "late":
            session["chatgpt_plan"] = session["chatgpt_plan"] | {"until": 1.0}
            session.save()
        case "nothing":
            client = page_client(alice)
        case "other person":
            session["chatgpt_plan"] = session["chatgpt_plan"] | {"user": str(bob.user_id)}
            session.save()
    assert "This sign-in was not begun here" in come_back(client, **query)
    assert vendor.asked == []
    assert not Credential.objects.exists()


@pytest.mark.parametrize("query", [{"error": "access_denied", "code": "c0de"}, {"code": ""}, {"code": "c" * 5000}])
def test_who_says_no_at_the_vendor_changes_nothing(alice: Actor, vendor: Endpoint, query: dict[str, str]) -> None:
    client = page_client(alice)
    state = leave(client)["state"]
    assert "ChatGPT did not sign you in. Nothing has changed." in come_back(client, state=state, **query)
    assert (vendor.asked, Credential.objects.count()) == ([], 0)


@pytest.mark.parametrize("client_id", ["", "somebody_else", "oaiapp_" + "x" * 200])
def test_without_an_id_of_its_own_nothing_is_redeemed(alice: Actor, vendor: Endpoint, client_id: str) -> None:
    client = page_client(alice)
    state = leave(client)["state"]
    assert "gave no session" in come_back(client, code="c0de", state=state, client_id=client_id)
    assert vendor.asked == []


@pytest.mark.parametrize(
    ("lie", "key"),
    [
        ({"nonce": "another"}, VENDORS_KEY),
        ({"aud": "oaiapp_OTHER"}, VENDORS_KEY),
        ({"iss": "https://other.example"}, VENDORS_KEY),
        ({"exp": 1}, VENDORS_KEY),
        ({}, FOREIGN_KEY),
        (None, VENDORS_KEY),
    ],
    ids=["nonce", "audience", "issuer", "end", "signature", "keys"],
)
def test_an_identity_token_that_is_not_this_sign_in_s_keeps_nothing(
    alice: Actor, vendor: Endpoint, lie: dict[str, Any] | None, key: Any
) -> None:
    client = page_client(alice)
    sent = leave(client)
    token = identity({"nonce": sent["nonce"]} | (lie or {}), key)
    honest = vendor.said
    vendor.said = lambda: honest() | {"id_token": token}  # type: ignore[method-assign]
    vendor.public = {} if lie is None else vendor.public
    said = come_back(client, code="c0de", state=sent["state"], client_id=ISSUED)
    assert "ChatGPT gave no session for this sign-in. Start it again." in said
    assert not Credential.objects.exists()


def test_a_sign_in_that_does_not_allow_the_plan_keeps_nothing(alice: Actor, vendor: Endpoint) -> None:
    client = page_client(alice)
    sent = leave(client)
    honest = vendor.said
    vendor.said = lambda: honest() | {"scope": "openid email"}  # type: ignore[method-assign]
    assert "gave no session" in come_back(client, code="c0de", state=sent["state"], client_id=ISSUED)
    assert not Credential.objects.exists()


def test_it_is_off_until_the_operator_allows_it_and_only_on_this_machine(alice: Actor, settings: Any) -> None:
    client = page_client(alice)
    away = {"host": "localhost", "x-forwarded-for": "192.0.2.7"}
    for allowed, headers in ((False, HOST), (True, away)):
        settings.CHATGPT_PLAN = allowed
        assert "Use my ChatGPT plan" not in client.get("/settings/providers/", headers=headers).content.decode()
        assert client.post(BEGIN, headers=headers).status_code == 403
        assert client.get(BACK, headers=headers).status_code == 403
        assert client.get(DONE, headers=headers).status_code == 403


def test_a_plan_cannot_be_entered_as_a_token(alice: Actor, vendor: Endpoint) -> None:
    body = {"provider_id": "openai", "secret": KEY, "method": "openai_chatgpt", "shared": True}
    answer = api_client(alice).post("/api/v1/credentials/sessions/", json.dumps(body), content_type="application/json")
    assert answer.status_code in {400, 422}
    assert not Credential.objects.exists()


@pytest.mark.parametrize("said", [False, True])
def test_signing_in_again_keeps_whether_a_key_may_stand_in(alice: Actor, vendor: Endpoint, said: bool) -> None:
    kept(alice)
    session_keeping.prefer(alice, provider_id="openai", mode="session", fallback_allowed=said, shared=False)
    kept(alice)
    assert [one.fallback_allowed for one in credentials.descriptors(alice) if one.method] == [said]


def test_signing_out_forgets_it_and_prefers_keys_again(alice: Actor, vendor: Endpoint) -> None:
    row = kept(alice)
    page_client(alice).post(f"/settings/providers/keys/{row.pk}/remove/")
    assert not Credential.objects.exists()
    credentials.save(alice, provider_id="openai", secret=KEY, shared=False)
    assert [one.mode for one in credentials.descriptors(alice) if one.source == "own"] == ["api_key"]


# ---------------------------------------------------------------- where it is never used
def test_it_is_never_used_through_the_openai_compatible_api(alice: Actor, vendor: Endpoint, vendors: str) -> None:
    store(model("openai/gpt-sandbox"))
    row = kept(alice)
    question = Question("openai/gpt-sandbox", tuple(REQUEST.messages))
    assert plan(RoutingRequest(Context.CHAT, question.model), facts_for(alice)).attempts[0].credential_ref == ref(row)
    with pytest.raises(ProviderError) as failed:
        alone(passing.enter(alice, question))
    assert failed.value.code is ErrorCode.MISSING_AUTH
    assert [one["id"] for one in listing.models(alice)] == []
    trace = facts_for(alice, relayed=True).resolution(model("openai/gpt-sandbox")).trace
    assert [one["verdict"] for one in trace if one["source"] == "own"] == ["not_relayed"]
    # With a key that everybody may use, the door answers, through that.
    shared = credentials.save(alice, provider_id="openai", secret=KEY, shared=True)
    passage = alone(passing.enter(alice, question))
    assert [one.credential_ref for one in passage.where.attempts] == [ref(shared)]
    assert "not_relayed" in json.dumps(passage.run.trace)


def test_a_request_that_names_it_does_not_get_around_that() -> None:
    one = Descriptor("credential:1", "openai", "own", "session", "working", "", barred="not_relayed")
    key = Descriptor("credential:2", "openai", "own", "api_key", "working", "")
    found = resolve("openai", [one, key], sandbox_model=False, reference=Reference(one.ref, "openai"))
    assert (found.chosen, found.error) == (None, ErrorCode.MISSING_AUTH)
    assert [line["verdict"] for line in found.trace][:2] == ["not_relayed", "not_relayed"]


def test_one_person_s_plan_never_answers_another(alice: Actor, bob: Actor, vendor: Endpoint) -> None:
    kept(alice)
    assert [one.ref for one in credentials.descriptors(bob) if one.method] == []


def test_what_the_operator_takes_back_is_used_no_more(alice: Actor, vendor: Endpoint, settings: Any) -> None:
    row = kept(alice)
    settings.CHATGPT_PLAN = False
    found = facts_for(alice).resolution(model("openai/gpt-sandbox"))
    assert found.chosen is None
    assert [one["verdict"] for one in found.trace if one["source"] == "own"] == ["not_allowed"]
    with pytest.raises(ProviderError) as failed:
        alone(renewal.aopen_ref(ref(row)))
    assert failed.value.code is ErrorCode.POLICY_DENIED
    assert ref(row) not in str(credentials.for_listing("openai"))
    assert "Not allowed here" in page_client(alice).get("/settings/providers/").content.decode()
