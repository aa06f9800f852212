"""A workspace's workload identity, entered on the settings page, as alice (owner) and bob (member)."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from accounts.policies import Actor
from providers import credentials, renewal, session_keeping
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential
from providers.resolution import resolve
from providers.session_keeping import Given
from tests.providers.endpoint import Endpoint
from tests.providers.people import api_client, page_client
from tests.providers.plans import alone, ref

pytestmark = pytest.mark.django_db(transaction=True)

PAGE, KEEP = "/settings/providers/", "/settings/providers/openai/workload-identity/"
SUBJECT = "eyJFAKE.subject.signature-of-our-own-issuer"
IDS = {"identity_provider_id": "idp_1", "service_account_id": "sa_1"}


def entered(told: Endpoint, **over: str) -> dict[str, str]:
    return {**IDS, "endpoint": told.url, "account": "Build cluster", "secret": SUBJECT} | over


def text_of(answer: Any) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def kept(actor: Actor, told: Endpoint) -> Credential:
    method = Credential.Method.WORKLOAD_IDENTITY
    exchange = {**IDS, "endpoint": told.url}
    return session_keeping.save(actor, Given("openai", SUBJECT, shared=True, method=method, exchange=exchange))


# ---------------------------------------------------------------- entering
def test_an_administrator_enters_it_and_it_is_exchanged_and_checked(
    alice: Actor, exchanging: Endpoint, vendors: str
) -> None:
    client = page_client(alice)
    assert 'id="w-openai-identity-identity_provider_id"' in client.get(PAGE).content.decode()
    answer = client.post(KEEP, entered(exchanging, fallback_allowed="1"), follow=True)
    said = text_of(answer)
    assert "OpenAI accepted the session in" in said
    for words in ("Build cluster", "Workload identity", exchanging.url, "then renewed", "Working"):
        assert words in said
    assert SUBJECT not in answer.content.decode()
    (asked,) = exchanging.asked
    assert (asked["subject_token"], asked["identity_provider_id"]) == (SUBJECT, "idp_1")
    row = Credential.objects.get()
    assert (row.user_id, row.kind, row.method, row.state) == (None, "session", "workload_identity", "working")
    mine = next(one for one in credentials.descriptors(alice) if one.source == "workspace")
    assert (mine.mode, mine.fallback_allowed) == ("session", True)
    written = AuditEntry.objects.filter(action__startswith="credential.").values_list("action", flat=True)
    assert set(written) == {"credential.stored", "credential.mode_set"}


def test_what_is_stored_is_there_to_be_changed_and_the_secret_is_not(alice: Actor, exchanging: Endpoint) -> None:
    kept(alice, exchanging)
    page = page_client(alice).get(PAGE).content.decode()
    assert 'value="idp_1"' in page
    assert f'value="{exchanging.url}"' in page
    assert SUBJECT not in page


@pytest.mark.parametrize(
    ("over", "field", "words"),
    [
        ({"service_account_id": ""}, "service_account_id", "Fill in the Service account ID."),
        ({"endpoint": "ftp://elsewhere"}, "endpoint", "starts with https://"),
        ({"base_url": "nowhere"}, "base_url", "starts with https://"),
        ({"secret": ""}, "secret", "Paste the subject token; the operator has named no file with one."),
        ({"secret": "two words"}, "secret", "Copy it again without blanks"),
    ],
)
def test_bad_input_is_named_at_its_field_and_loses_nothing(
    alice: Actor, exchanging: Endpoint, over: dict[str, str], field: str, words: str
) -> None:
    row = kept(alice, exchanging)
    answer = page_client(alice).post(KEEP, entered(exchanging, identity_provider_id="idp_2", **over))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', page)
    for name, value in entered(exchanging, identity_provider_id="idp_2", **over).items():
        assert name == "secret" or not value or f'name="{name}" type="text" value="{value}"' in page
    assert SUBJECT not in page
    again = Credential.objects.get()
    assert (again.fingerprint, again.exchange["identity_provider_id"]) == (row.fingerprint, "idp_1")
    assert exchanging.asked == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "OpenAI: The token endpoint refused the exchange. Look at the ids"),
        (503, "did not answer. Check it again"),
    ],
)
def test_an_exchange_that_fails_says_what_to_do(alice: Actor, exchanging: Endpoint, status: int, words: str) -> None:
    exchanging.status = status
    assert words in text_of(page_client(alice).post(KEEP, entered(exchanging), follow=True))
    assert Credential.objects.get().state == ("expired" if status == 401 else "unreachable")


def test_the_api_keeps_exchanges_and_checks_it_and_renews_what_has_ended(
    alice: Actor, exchanging: Endpoint, vendors: str
) -> None:
    exchange = {**IDS, "endpoint": exchanging.url}
    body = {"provider_id": "openai", "secret": SUBJECT, "method": "workload_identity", "shared": True}
    client = api_client(alice)
    sent = json.dumps(body | {"exchange": exchange})
    kept = client.post("/api/v1/credentials/sessions/", sent, content_type="application/json")
    assert (kept.status_code, kept.json()["state"], len(exchanging.asked)) == (201, "working", 1)
    Credential.objects.update(state="expired")
    checked = client.post(f"/api/v1/credentials/{kept.json()['id']}/check/")
    assert (checked.json()["state"], len(exchanging.asked)) == ("working", 2)


def test_an_anthropic_workspace_is_asked_for_its_own_fields(alice: Actor, exchanging: Endpoint, vendors: str) -> None:
    ids = {"federation_rule_id": "fr_1", "organization_id": "org_1", "workspace_id": "ws_1"}
    sent = {**ids, "endpoint": exchanging.url, "secret": SUBJECT}
    page_client(alice).post("/settings/providers/anthropic/workload-identity/", sent)
    assert {name: exchanging.asked[0][name] for name in ids} == ids


def test_the_operator_s_file_needs_no_subject_token(
    alice: Actor, exchanging: Endpoint, settings: Any, tmp_path: Any
) -> None:
    settings.WORKLOAD_IDENTITY_TOKEN_FILE = str(tmp_path / "token")
    client = page_client(alice)
    assert "empty for the one in the operator" in text_of(client.get(PAGE))
    answer = client.post(KEEP, entered(exchanging, secret=""))
    assert "The installation's own token is exchanged at the vendor's address only." in text_of(answer)


# ---------------------------------------------------------------- who may, and where
def test_it_is_off_until_the_operator_allows_it(alice: Actor, endpoint: Endpoint) -> None:
    client = page_client(alice)
    assert "Workload identity" not in client.get(PAGE).content.decode()
    answer = client.post(KEEP, entered(endpoint))
    assert (answer.status_code, "PARLEY_WORKLOAD_IDENTITY" in text_of(answer)) == (403, True)
    body = {"provider_id": "openai", "secret": SUBJECT, "method": "workload_identity", "shared": True, "exchange": IDS}
    told = api_client(alice).post("/api/v1/credentials/sessions/", json.dumps(body), content_type="application/json")
    assert (told.status_code, told.json()["code"]) == (403, "policy_denied")
    assert not Credential.objects.exists()


def test_a_member_sees_no_form_and_may_not_send_one(bob: Actor, exchanging: Endpoint) -> None:
    client: Client = page_client(bob)
    assert "w-openai-identity" not in client.get(PAGE).content.decode()
    assert client.post(KEEP, entered(exchanging)).status_code == 403
    assert client.post("/settings/providers/gemini/workload-identity/", entered(exchanging)).status_code == 403
    assert not Credential.objects.exists()


def test_a_permission_taken_back_stops_what_is_stored(alice: Actor, exchanging: Endpoint, settings: Any) -> None:
    row = kept(alice, exchanging)
    settings.WORKLOAD_IDENTITY = False
    trace = resolve("openai", credentials.descriptors(alice), sandbox_model=False).trace
    assert [line["verdict"] for line in trace if line["source"] == "workspace"] == ["not_allowed"]
    with pytest.raises(ProviderError) as refused:
        alone(renewal.aopen_ref(ref(row)))
    assert refused.value.code is ErrorCode.POLICY_DENIED
    assert exchanging.asked == []
    assert "Not allowed here" in text_of(page_client(alice).get(PAGE))
