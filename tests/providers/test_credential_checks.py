"""Checking a key with the provider's own unbilled call, over a real wire."""

import logging
from typing import Any

import pytest

from accounts.policies import Actor
from providers import checks, credentials
from providers.contract import CredentialCheck, OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential
from providers.secrets import Secret

GOOD = "sk-good-aaaaaaaaaaaaaaaaaaaaaaaa4f2a"
REVOKED = "sk-revoked-aaaaaaaaaaaaaaaaaaaaaaaa9c1e"


def keep(actor: Actor, secret: str, provider_id: str = "openai") -> str:
    return f"credential:{credentials.save(actor, provider_id=provider_id, secret=secret, shared=False).pk}"


@pytest.mark.django_db
@pytest.mark.parametrize("provider_id", ["openai", "gemini", "openai_compatible"])
def test_a_good_key_is_working_and_says_how_long_it_took(alice: Actor, vendors: str, provider_id: str) -> None:
    assert checks.check_from_thread(keep(alice, GOOD, provider_id)).ok
    row = Credential.objects.get()
    assert (row.state, row.error_code) == ("working", "")
    assert row.checked_at is not None
    assert row.latency_ms is not None


@pytest.mark.django_db
@pytest.mark.parametrize("provider_id", ["openai", "gemini", "openai_compatible"])
def test_a_revoked_key_is_refused_and_stays(alice: Actor, vendors: str, provider_id: str) -> None:
    result = checks.check_from_thread(keep(alice, REVOKED, provider_id))
    assert not result.ok
    row = Credential.objects.get()
    assert (row.state, row.error_code) == ("refused", "invalid_auth")
    assert result.error is not None
    assert REVOKED not in result.error.message


@pytest.mark.django_db
def test_a_provider_that_cannot_be_reached_says_nothing_about_the_key(alice: Actor, nobody: str) -> None:
    checks.check_from_thread(keep(alice, GOOD))
    row = Credential.objects.get()
    assert (row.state, row.error_code) == ("unreachable", "provider_unavailable")


@pytest.mark.django_db
def test_a_key_that_does_not_open_is_refused_without_asking_anybody(alice: Actor, settings: Any) -> None:
    ref = keep(alice, GOOD)
    Credential.objects.update(secret="planted")
    result = checks.check_from_thread(ref)
    assert result.error is not None
    assert result.error.detail == "key_unreadable"
    assert Credential.objects.get().state == "refused"


@pytest.mark.django_db
def test_a_result_that_comes_after_the_key_was_replaced_is_dropped(alice: Actor) -> None:
    ref = keep(alice, REVOKED)
    before = credentials.open_ref(ref)
    keep(alice, GOOD)
    bad = ProviderError(ErrorCode.INVALID_AUTH, "refused", provider_id="openai")
    checks.record(before, CredentialCheck(False, 3, bad))
    assert Credential.objects.get().state == "unchecked"


@pytest.mark.django_db
def test_a_check_does_not_change_when_the_key_was_added(alice: Actor, vendors: str) -> None:
    ref = keep(alice, GOOD)
    before = Credential.objects.get().updated_at
    checks.check_from_thread(ref)
    assert Credential.objects.get().updated_at == before


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (None, "working"),
        (ErrorCode.RATE_LIMITED, "working"),
        (ErrorCode.QUOTA_EXCEEDED, "working"),
        (ErrorCode.INVALID_AUTH, "refused"),
        (ErrorCode.PERMISSION_DENIED, "refused"),
        (ErrorCode.TIMEOUT, "unreachable"),
        (ErrorCode.PROVIDER_UNAVAILABLE, "unreachable"),
        (ErrorCode.INVALID_REQUEST, "unreachable"),
    ],
)
def test_only_what_is_about_the_key_judges_the_key(code: ErrorCode | None, state: str) -> None:
    error = ProviderError(code, "said", provider_id="openai") if code else None
    assert checks.state_after(CredentialCheck(error is None, 1, error)) == state


@pytest.mark.anyio
@pytest.mark.usefixtures("closing")
@pytest.mark.django_db(transaction=True)
async def test_on_a_running_loop_the_check_shares_the_loop_s_connections(vendors: str) -> None:
    from asgiref.sync import sync_to_async

    from tests.factories import make_actor

    alice = await sync_to_async(make_actor)()
    ref = await sync_to_async(keep)(alice, GOOD)
    result = await checks.check(ref)
    assert result.ok
    assert (await Credential.objects.aget()).state == "working"


@pytest.mark.anyio
@pytest.mark.usefixtures("closing")
@pytest.mark.django_db(transaction=True)
async def test_an_installation_key_is_checked_without_a_row(vendors: str, settings: Any) -> None:
    settings.PROVIDER_KEYS = {"openai": GOOD}
    assert (await checks.check("environment:openai")).ok


@pytest.mark.anyio
async def test_a_provider_that_is_not_there_is_a_result_and_not_a_crash() -> None:
    gone = OpenCredential("nonsense", "environment:nonsense", Secret(GOOD))
    result = await checks.probe(gone)
    assert result.error is not None
    assert result.error.code is ErrorCode.MODEL_NOT_FOUND


@pytest.mark.django_db
def test_no_log_line_holds_the_key_that_was_checked(
    alice: Actor, vendors: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for key in (GOOD, REVOKED):
            checks.check_from_thread(keep(alice, key))
    from providers.redaction import scrub

    lines = "\n".join(scrub(record.getMessage()) for record in caplog.records)
    assert GOOD not in lines
    assert REVOKED not in lines
