"""Unbilled calls: does a key work, and which models does it list; what a check found is kept on the key's row."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import Case, Value, When
from django.utils import timezone

from providers import credentials, health, http, renewal, runtime
from providers.contract import CredentialCheck, ModelInfo, OpenCredential
from providers.database import in_database
from providers.errors import ErrorCode, ProviderError
from providers.judging import REFUSALS
from providers.models import Credential

log = logging.getLogger(__name__)

CHECK_SECONDS = 30.0
LIST_SECONDS = 20.0

# A key that is limited or out of quota was recognised: it works as a key.
RECOGNISED = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.QUOTA_EXCEEDED})
# What only the owner of a credential has to do with, and nobody else who uses the provider.
THEIRS = frozenset({Credential.State.REFUSED, Credential.State.EXPIRED})


async def probe(credential: OpenCredential) -> CredentialCheck:
    """One unbilled call, 30 s at most; touches no database. Never raises ProviderError: a failure is a result."""
    started = time.monotonic()
    try:
        adapter = await runtime.adapter(credential.provider_id)
        async with asyncio.timeout(CHECK_SECONDS):
            return await adapter.validate_credential(credential)
    except ProviderError as error:
        failed = error
    except TimeoutError:
        late = f"No answer within {CHECK_SECONDS:.0f} seconds."
        failed = ProviderError(ErrorCode.TIMEOUT, late, provider_id=credential.provider_id)
    return CredentialCheck(False, round((time.monotonic() - started) * 1000), failed)


def state_after(result: CredentialCheck) -> str:
    if result.error and result.error.code is ErrorCode.SESSION_EXPIRED:
        return Credential.State.EXPIRED
    if result.ok or (result.error and result.error.code in RECOGNISED):
        return Credential.State.WORKING
    refused = result.error is not None and result.error.code in REFUSALS
    return Credential.State.REFUSED if refused else Credential.State.UNREACHABLE


def record(credential: OpenCredential, result: CredentialCheck) -> None:
    """Keep the result on the key's row, unless the key was replaced while it was being checked."""
    _, _, pk = credential.ref.partition(":")
    same = credentials.fingerprint(credential.secret.reveal())
    rows = Credential.objects.filter(pk=pk, fingerprint=same)
    state = state_after(result)
    known = rows.filter(state=state).exists()
    rows.update(
        state=state,
        error_code=result.error.code.value if result.error else "",
        checked_at=timezone.now(),
        latency_ms=max(0, result.latency_ms),
    )
    if not known:
        health.changed.send(Credential, provider_id=credential.provider_id, state=state)


def record_unreadable(ref: str, error: ProviderError) -> None:
    """A key that does not open any more is refused by us, before any provider could."""
    _, _, pk = ref.partition(":")
    if error.code is ErrorCode.INVALID_AUTH:
        unreadable = Case(
            When(kind=Credential.Kind.SESSION, then=Value(Credential.State.MALFORMED.value)),
            default=Value(Credential.State.REFUSED.value),
        )
        rows = Credential.objects.filter(pk=pk)
        known = rows.filter(state__in=[Credential.State.REFUSED, Credential.State.MALFORMED]).exists()
        rows.update(state=unreadable, error_code=error.code.value, checked_at=timezone.now(), latency_ms=None)
        if not known:
            health.changed.send(Credential, provider_id=error.provider_id, state=Credential.State.REFUSED)


async def check(ref: str) -> CredentialCheck:
    """Check the credential on the running loop and keep the result. Never raises ProviderError."""
    try:
        credential = await (renewal.renewed(ref) if _stored(ref) else renewal.aopen_ref(ref))
    except ProviderError as error:
        if _stored(ref):
            await in_database(record_unreadable, ref, error)
        return CredentialCheck(False, 0, error)
    result = await probe(credential)
    if credential.kind == "session" and state_after(result) == Credential.State.EXPIRED and _stored(ref):
        with contextlib.suppress(ProviderError):
            credential = await renewal.arenew(credential)
            result = await probe(credential)
    await in_database(keep, credential, result)
    return result


def check_from_thread(ref: str) -> CredentialCheck:
    """As `check`, for doors that are synchronous: the call runs on a loop of its own, the database on this thread."""
    return async_to_sync(_check_alone, force_new_loop=True)(ref)


async def _check_alone(ref: str) -> CredentialCheck:
    return await and_close(check(ref))


def keep(credential: OpenCredential, result: CredentialCheck) -> None:
    """Keep what a check found: on the key's row, and as the provider's health where the key speaks for it."""
    if _stored(credential.ref):
        record(credential, result)
        pk = credential.ref.partition(":")[2]
        row = Credential.objects.filter(pk=pk).first()
        # A workspace's bad key is that workspace's business.
        if row is None or not health.counts(row) or state_after(result) in THEIRS:
            return
    code = result.error.code.value if result.error else ""
    health.record_check(credential.provider_id, code, result.latency_ms)


def _stored(ref: str) -> bool:
    """Only a stored key has a row to keep a result on."""
    return ref.startswith("credential:")


async def list_models(ref: str) -> list[ModelInfo]:
    """What a credential can list. Raises ProviderError, 20 s at most."""
    credential = await renewal.aopen_ref(ref)
    adapter = await runtime.adapter(credential.provider_id)
    try:
        async with asyncio.timeout(LIST_SECONDS):
            return await adapter.list_models(credential)
    except TimeoutError:
        late = f"No list within {LIST_SECONDS:.0f} seconds."
        raise ProviderError(ErrorCode.TIMEOUT, late, provider_id=credential.provider_id) from None


async def and_close[T](work: Coroutine[Any, Any, T]) -> T:
    """Run `work` as the only user of this loop's connections, and leave none open."""
    try:
        return await work
    finally:
        await http.close()
