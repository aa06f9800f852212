"""Renewing sessions against a token endpoint that counts: one exchange however many calls ask, over several loops as
over several processes."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.utils import timezone

from accounts.policies import Actor
from providers import checks, credentials, renewal, session_keeping
from providers.contract import OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential
from providers.secrets import Secret
from providers.session_keeping import Given
from tests.providers.endpoint import Endpoint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    settings.WORKLOAD_IDENTITY = True


SUBJECT = "eyJFAKE.subject.signature-of-our-own-issuer"
LOOPS, CALLS = 4, 25
OPENAI = {"identity_provider_id": "idp_1", "service_account_id": "sa_1"}


def workload(actor: Actor, endpoint: Endpoint, **over: Any) -> Credential:
    values: dict[str, Any] = {"provider_id": "openai", "exchange": {**OPENAI, "endpoint": endpoint.url}} | over
    given = Given(secret=SUBJECT, shared=True, method=Credential.Method.WORKLOAD_IDENTITY, **values)
    return session_keeping.save(actor, given)


def ref(row: Credential) -> str:
    return f"credential:{row.pk}"


def on_loops[T](call: Callable[[], Coroutine[Any, Any, T]]) -> list[T | BaseException]:
    """`call` a hundred times at once, on four loops in four threads."""
    start = threading.Barrier(LOOPS)

    async def many() -> list[T | BaseException]:
        try:
            return await asyncio.gather(*(call() for _ in range(CALLS)), return_exceptions=True)
        finally:
            await sync_to_async(connections.close_all)()

    def loop() -> list[T | BaseException]:
        start.wait()
        return asyncio.run(checks.and_close(many()))

    with ThreadPoolExecutor(LOOPS) as pool:
        return [one for each in [pool.submit(loop) for _ in range(LOOPS)] for one in each.result()]


def alone[T](call: Coroutine[Any, Any, T]) -> T:
    async def closing() -> T:
        try:
            return await call
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(checks.and_close(closing()))


def tokens(found: list[Any]) -> set[str]:
    assert all(isinstance(one, OpenCredential) for one in found), found
    return {one.secret.reveal() for one in found}


def refused(found: list[Any]) -> set[tuple[ErrorCode, str | None]]:
    assert all(isinstance(one, ProviderError) for one in found), found
    return {(one.code, one.detail) for one in found}


def test_a_hundred_calls_on_an_ended_session_make_one_exchange(alice: Actor, endpoint: Endpoint) -> None:
    row = workload(alice, endpoint)
    found = on_loops(lambda: renewal.aopen_ref(ref(row)))
    assert len(found) == LOOPS * CALLS
    assert len(endpoint.asked) == 1
    assert tokens(found) == {"sk-fetched-0001-aaaaaaaaaaaaaaaaaaaa"}
    row.refresh_from_db()
    assert (row.state, row.renewing_until) == ("working", None)
    assert row.expires_at is not None
    assert 3500 < (row.expires_at - timezone.now()).total_seconds() <= 3600


def test_a_hundred_calls_whose_token_was_refused_make_one_exchange(alice: Actor, endpoint: Endpoint) -> None:
    row = workload(alice, endpoint)
    first = alone(renewal.aopen_ref(ref(row)))
    found = on_loops(lambda: renewal.arenew(first))
    assert len(endpoint.asked) == 2
    assert tokens(found) == {"sk-fetched-0002-aaaaaaaaaaaaaaaaaaaa"}


def test_the_account_behind_it_stays_the_same_from_token_to_token(alice: Actor, endpoint: Endpoint) -> None:
    row = workload(alice, endpoint)
    first = alone(renewal.aopen_ref(ref(row)))
    second = alone(renewal.arenew(first))
    assert first.secret != second.secret
    assert first.origin("m") == second.origin("m")


def test_a_refusal_ends_the_session_for_all_and_nobody_asks_again(alice: Actor, endpoint: Endpoint) -> None:
    endpoint.status, endpoint.answer = 400, {"error": "invalid_grant"}
    row = workload(alice, endpoint)
    assert refused(on_loops(lambda: renewal.aopen_ref(ref(row)))) == {(ErrorCode.SESSION_EXPIRED, "not_renewed")}
    assert len(endpoint.asked) == 1
    row.refresh_from_db()
    assert (row.state, row.error_code, row.renewing_until) == ("expired", "session_expired", None)
    with pytest.raises(ProviderError, match="refused the exchange"):
        alone(renewal.aopen_ref(ref(row)))
    assert len(endpoint.asked) == 1


def test_an_endpoint_that_is_away_leaves_the_session_to_be_tried_again(alice: Actor, endpoint: Endpoint) -> None:
    endpoint.status, endpoint.answer = 503, {"error": "temporarily_unavailable"}
    row = workload(alice, endpoint)
    with pytest.raises(ProviderError) as caught:
        alone(renewal.aopen_ref(ref(row)))
    assert (caught.value.code, SUBJECT in str(caught.value)) == (ErrorCode.SESSION_EXPIRED, False)
    row.refresh_from_db()
    assert row.state == "unreachable"
    endpoint.status, endpoint.answer = 200, None
    assert alone(renewal.aopen_ref(ref(row))).secret.reveal().startswith("sk-fetched-")


@pytest.mark.parametrize(
    "answer", [{}, {"access_token": ""}, {"access_token": "a b"}, {"access_token": "x", "expires_in": "soon"}]
)
def test_an_answer_without_a_usable_token_is_none(alice: Actor, endpoint: Endpoint, answer: dict[str, Any]) -> None:
    endpoint.answer = answer
    row = workload(alice, endpoint)
    with pytest.raises(ProviderError):
        alone(renewal.aopen_ref(ref(row)))


def test_nothing_holds_the_database_while_the_endpoint_thinks(alice: Actor, endpoint: Endpoint) -> None:
    endpoint.seconds = 1.5
    row = workload(alice, endpoint)
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(lambda: alone(renewal.aopen_ref(ref(row))))
        while not endpoint.asked:
            time.sleep(0.01)
        began = time.monotonic()
        Credential.objects.filter(pk=row.pk).update(label="written meanwhile")
        waited = time.monotonic() - began
        assert not renewing.done()
        assert renewing.result().secret.reveal().startswith("sk-fetched-")
    assert waited < 1


def test_the_lease_of_a_process_that_was_lost_runs_out(alice: Actor, endpoint: Endpoint) -> None:
    row = workload(alice, endpoint)
    Credential.objects.filter(pk=row.pk).update(renewing_until=timezone.now() - timedelta(seconds=1))
    assert alone(renewal.aopen_ref(ref(row))).kind == "session"


def test_a_session_that_was_replaced_meanwhile_is_not_written_over(alice: Actor, endpoint: Endpoint) -> None:
    endpoint.seconds = 0.5
    row = workload(alice, endpoint)
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(lambda: alone(renewal.aopen_ref(ref(row))))
        while not endpoint.asked:
            time.sleep(0.01)
        session_keeping.save(alice, Given("openai", "sk-pasted-bbbbbbbbbbbbbbbbbbbbbbbb", shared=True))
        opened = renewing.result()
    assert opened.secret.reveal() == "sk-pasted-bbbbbbbbbbbbbbbbbbbbbbbb"


# ---------------------------------------------------------------- what each vendor is asked
def test_openai_is_asked_for_a_token_exchange(alice: Actor, endpoint: Endpoint) -> None:
    alone(renewal.aopen_ref(ref(workload(alice, endpoint))))
    assert endpoint.asked == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": SUBJECT,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            **OPENAI,
        }
    ]


def test_anthropic_is_asked_with_an_assertion(alice: Actor, endpoint: Endpoint) -> None:
    fields = {"federation_rule_id": "rule_1", "organization_id": "org_1"}
    row = workload(alice, endpoint, provider_id="anthropic", exchange={**fields, "endpoint": endpoint.url})
    alone(renewal.aopen_ref(ref(row)))
    assert endpoint.asked == [
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": SUBJECT, **fields}
    ]
    assert "oidc-federation" in endpoint.headers[0]["anthropic-beta"]


# ---------------------------------------------------------------- pasted ones
def test_a_pasted_session_that_was_refused_has_ended_unless_it_was_replaced(alice: Actor) -> None:
    row = session_keeping.save(alice, Given("openai", "sk-pasted-aaaaaaaaaaaaaaaaaaaaaaaa"))
    seen = credentials.open_ref(ref(row))
    session_keeping.save(alice, Given("openai", "sk-pasted-bbbbbbbbbbbbbbbbbbbbbbbb"))
    again = alone(renewal.arenew(seen))
    assert again.secret == Secret("sk-pasted-bbbbbbbbbbbbbbbbbbbbbbbb")
    with pytest.raises(ProviderError):
        alone(renewal.arenew(again))
    row.refresh_from_db()
    assert row.state == "expired"


def test_a_session_whose_time_is_over_is_said_to_have_ended(alice: Actor) -> None:
    end = timezone.now() + timedelta(minutes=5)
    row = session_keeping.save(alice, Given("openai", "sk-pasted-aaaaaaaaaaaaaaaaaaaaaaaa", expires_at=end))
    assert renewal.note_ended() == 0
    assert credentials.descriptor_of(row, end).state == "expired"
    assert renewal.note_ended(end) == 1
    assert renewal.note_ended(end) == 0
    row.refresh_from_db()
    assert row.state == "expired"
