"""Opening a credential for a call on a running loop, and renewing sessions: one exchange for any number of calls.

Whoever renews a session holds its row by a lease in it, and no transaction while the token endpoint is asked: that may
take seconds, and on SQLite a transaction would hold up every writer of the installation. The calls of one loop share
one renewal; other processes wait for the row to change.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

from django.utils import timezone

from accounts import sealing
from providers import credentials, health, sources
from providers.contract import OpenCredential
from providers.credentials import Held
from providers.database import in_database
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential, CredentialQuerySet
from providers.secrets import Secret, hint
from providers.sessions import openai_chatgpt, workload_identity
from providers.sessions.base import Ended, Fetch, Fetched, Stored, Unreachable
from providers.tries import NOT_RENEWED

FETCH: Mapping[str, Fetch] = {
    Credential.Method.WORKLOAD_IDENTITY: workload_identity.fetch,
    Credential.Method.OPENAI_CHATGPT: openai_chatgpt.fetch,
}
# A token with less time left is renewed first; one with less than EARLY is renewed beside the call that uses it.
LEAST_SECONDS, EARLY_SECONDS = 30.0, 120.0
LEASE = timedelta(seconds=30)
WAIT_SECONDS, POLL_SECONDS = 25.0, 0.1
MOST_ENDED = 200

_ENDED = {
    Credential.Method.BEARER: "The session has ended. Paste a new token.",
    Credential.Method.WORKLOAD_IDENTITY: "The token endpoint refused the exchange. Look at the ids and at the subject "
    "token, and save them again.",
    Credential.Method.OPENAI_CHATGPT: "The session has ended. Sign in again.",
}
_NO_ANSWER = "The session could not be renewed: its token endpoint did not answer. Check it again in a moment."

_renewals: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[UUID, asyncio.Task[Held]]] = WeakKeyDictionary()


async def aopen_ref(ref: str) -> OpenCredential:
    """As `credentials.open_ref`, for a running loop, and with a token that has not ended. Raises ProviderError."""
    if not ref.startswith("credential:"):
        return credentials.open_ref(ref)
    return (await _fresh(UUID(ref.partition(":")[2]))).opened


async def arenew(refused: OpenCredential) -> OpenCredential:
    """The same session after its provider has refused it: with a new token, or `session_expired`. One that was pasted
    is read again, as its owner may have pasted another meanwhile."""
    scheme, _, name = refused.ref.partition(":")
    if scheme == "environment_session":
        return sources.open_session(name, refused.secret)
    return (await _fresh(UUID(name), refused.secret)).opened


async def renewed(ref: str) -> OpenCredential:
    """For a check: what had ended is given another try. Raises ProviderError."""
    held = await in_database(credentials.hold, UUID(ref.partition(":")[2]))
    over = held.row.state in Credential.OVER or not usable(held)
    return (await _shared(held, anew=True)).opened if held.row.renews and over else held.opened


async def _fresh(pk: UUID, refused: Secret | None = None) -> Held:
    held = await in_database(credentials.hold, pk)
    if not held.row.renews:
        if refused is not None and held.opened.secret == refused:
            await in_database(_note, held.row, Credential.State.EXPIRED)
            raise _expired(held.row)
        return held
    if usable(held, refused):
        if _left(held) < EARLY_SECONDS:
            _begin(held)
        return held
    return await _shared(held, refused)


def usable(held: Held, refused: Secret | None = None) -> bool:
    """Whether its token may be sent: there is one, it lasts a little, and nobody has refused it."""
    token = held.opened.secret
    return bool(token.reveal()) and token != refused and _left(held) >= LEAST_SECONDS


def _left(held: Held) -> float:
    """Seconds until the token ends."""
    end = held.row.expires_at
    return float("inf") if end is None else end.timestamp() - time.time()


# ---------------------------------------------------------------- one exchange, however many ask
async def _shared(held: Held, refused: Secret | None = None, *, anew: bool = False) -> Held:
    """What this loop's renewal of the row gives; a caller that is cancelled does not end it for the others."""
    if held.row.state == Credential.State.EXPIRED and not anew:
        raise _expired(held.row)
    return await asyncio.shield(_begin(held, refused))


def _begin(held: Held, refused: Secret | None = None) -> asyncio.Task[Held]:
    running = _renewals.setdefault(asyncio.get_running_loop(), {})
    task = running.get(held.row.pk)
    if task is None:
        task = running[held.row.pk] = asyncio.create_task(_renew(held, refused), name=f"renewal-{held.row.pk}")
        task.add_done_callback(lambda done: _over(running, held.row.pk, done))
    return task


def _over(running: dict[UUID, asyncio.Task[Held]], pk: UUID, done: asyncio.Task[Held]) -> None:
    running.pop(pk, None)
    if not done.cancelled():
        done.exception()  # whoever waits is told; a renewal beside a call may have nobody


async def _renew(held: Held, refused: Secret | None) -> Held:
    until = time.monotonic() + WAIT_SECONDS
    first = True
    while time.monotonic() < until:
        if await in_database(_claim, held.row):
            return await _exchange(held)
        await asyncio.sleep(0 if first else POLL_SECONDS)
        first = False
        held = await in_database(credentials.hold, held.row.pk)
        if usable(held, refused):
            return held
        if held.row.state == Credential.State.EXPIRED and held.row.renewing_until is None:
            raise _expired(held.row)
    raise _expired(held.row, _NO_ANSWER)


async def _exchange(held: Held) -> Held:
    try:
        fetched = await FETCH[held.row.method](held.row.exchange, held.keep)
    except Ended:
        await in_database(_note, held.row, Credential.State.EXPIRED)
        raise _expired(held.row) from None
    except Unreachable:
        await in_database(_note, held.row, Credential.State.UNREACHABLE)
        raise _expired(held.row, _NO_ANSWER) from None
    # Stored before it is used: the endpoint may have taken back what the next one would have been fetched with.
    await in_database(_store, held.row, fetched)
    return await in_database(credentials.hold, held.row.pk)


# ---------------------------------------------------------------- the row
def _same(row: Credential) -> CredentialQuerySet:
    """The row as long as it holds what was read of it."""
    rows: CredentialQuerySet = Credential.objects.filter(pk=row.pk, fingerprint=row.fingerprint)
    return rows


def _claim(row: Credential) -> bool:
    """Take the row's lease, unless it has changed since it was read or somebody else holds it."""
    now = timezone.now()
    free = _same(row).filter(state=row.state).exclude(renewing_until__gt=now)
    return bool(free.update(renewing_until=now + LEASE))


def _store(row: Credential, fetched: Fetched) -> None:
    secret = sealing.seal(row, Stored(fetched.token, fetched.keep).dump())
    end = None if fetched.expires_at is None else datetime.fromtimestamp(fetched.expires_at, UTC)
    changed = _same(row).update(
        secret=secret,
        fingerprint=credentials.fingerprint(fetched.token),
        hint=hint(fetched.token),
        expires_at=end,
        account=fetched.account or row.account,
        state=Credential.State.WORKING,
        error_code="",
        renewing_until=None,
    )
    if changed:
        _tell(row)


def _note(row: Credential, state: str) -> None:
    """A renewal came to nothing, or a pasted session was refused; open pages are told."""
    code = ErrorCode.SESSION_EXPIRED.value
    changed = _same(row).update(state=state, error_code=code, checked_at=timezone.now(), renewing_until=None)
    if changed and row.state != state:
        _tell(row)


def note_ended(now: datetime | None = None) -> int:
    """Say of pasted sessions whose time is over that they have ended, and tell open pages; how many there were."""
    now = now or timezone.now()
    pasted = Credential.objects.filter(method=Credential.Method.BEARER, expires_at__lte=now)
    rows = list(pasted.exclude(state__in=Credential.OVER)[:MOST_ENDED])
    for row in rows:
        _note(row, Credential.State.EXPIRED)
    return len(rows)


def _tell(row: Credential) -> None:
    health.changed.send(Credential, provider_id=row.provider_id, state=row.state)


def _expired(row: Credential, words: str = "") -> ProviderError:
    words = words or _ENDED[Credential.Method(row.method)]
    return ProviderError(ErrorCode.SESSION_EXPIRED, words, provider_id=row.provider_id, detail=NOT_RENEWED)
