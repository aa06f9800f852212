"""The canonical health of every provider: checks and real answers go in, one state and its history come out.

Only what the installation, the sandbox or a workspace pays for counts, and only at the provider's own address: neither
somebody's own key nor a workspace's own gateway says anything about the provider to others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal as Hook
from django.utils import timezone

from providers import latencies, sources
from providers.judging import REMEMBERED, Signal, judge, result_of_check, result_of_run
from providers.models import Credential, HealthEvent, HealthSample, ProviderHealth

# Sent after a provider's state changed and was committed, with `provider_id` and `state`.
changed = Hook()

KEPT = timedelta(days=60)
SHARED_SOURCES = frozenset({"workspace", "environment", "sandbox"})


@dataclass(frozen=True, slots=True)
class Heard:
    """How one try of a run went. `code` is that of its failure, empty when it answered; `source` says whose credential
    it took; `first_word_ms` is the time to the first content."""

    provider_id: str
    workspace_id: UUID
    source: str
    code: str
    first_word_ms: int | None = None


# ---------------------------------------------------------------- what counts
def counts(row: Credential) -> bool:
    """Whether this stored credential speaks for its provider: a workspace's, at the address everybody uses."""
    standing_in = not row.sandbox or sources.in_sandbox(row.provider_id)
    return row.user_id is None and not row.base_url and standing_in


def record_check(provider_id: str, code: str, latency_ms: int, *, now: datetime | None = None) -> None:
    """Take in a check; `code` is empty when the key was accepted. The caller has asked `counts`."""
    now = now or timezone.now()
    record(provider_id, [Signal(now.timestamp(), "check", result_of_check(code), code, max(0, latency_ms))], now)


def record_runs(heard: Sequence[Heard], *, now: datetime | None = None) -> None:
    """Take in what runs went through since the last time: one short transaction for each provider."""
    now = now or timezone.now()
    elsewhere = _own_places({one.workspace_id for one in heard if one.source == "workspace"})
    signals: dict[str, list[Signal]] = {}
    for one in heard:
        result = result_of_run(one.code)
        if result is None or one.source not in SHARED_SOURCES:
            continue
        if one.source == "workspace" and (one.workspace_id, one.provider_id) in elsewhere:
            continue
        signal = Signal(now.timestamp(), "run", result, one.code, one.first_word_ms)
        signals.setdefault(one.provider_id, []).append(signal)
    for provider_id, found in signals.items():
        record(provider_id, found, now)


def _own_places(workspaces: set[UUID]) -> set[tuple[UUID, str]]:
    """Where a workspace's key does not lead to the provider itself."""
    if not workspaces:
        return set()
    rows = Credential.objects.filter(workspace_id__in=workspaces, user__isnull=True)
    return {(row.workspace_id, row.provider_id) for row in rows if not counts(row)}


# ---------------------------------------------------------------- keeping it
def record(provider_id: str, signals: Sequence[Signal], now: datetime) -> None:
    """Add signals and store what follows. Writers of one provider wait for each other, so a change is stored once."""
    with transaction.atomic():
        row, _ = ProviderHealth.objects.select_for_update().get_or_create(
            provider_id=provider_id, defaults={"since": now}
        )
        recent = [*map(Signal.from_json, row.recent), *signals][-REMEMBERED:]
        verdict = judge(recent, now.timestamp())
        if verdict.state != row.state:
            _move(row, verdict.state, verdict.reason, now)
        row.recent = [one.as_json() for one in recent]
        row.reason = verdict.reason
        for one in signals:
            if one.kind == "check":
                row.last_checked_at, row.latency_ms = now, one.ms
        row.save()
        _count(provider_id, signals, now)


def _move(row: ProviderHealth, state: str, reason: str, now: datetime) -> None:
    lasted = max(0, round((now - row.since).total_seconds()))
    HealthEvent.objects.create(health=row, before=row.state, after=state, reason=reason, at=now, lasted=lasted)
    row.state, row.since = state, now
    provider_id = row.provider_id
    transaction.on_commit(lambda: changed.send(ProviderHealth, provider_id=provider_id, state=state))


def _count(provider_id: str, signals: Iterable[Signal], now: datetime) -> None:
    """Add to the hour's counters; the provider's row is locked. A refused key is neither a pass nor a failure."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    for kind in ("check", "run"):
        counted = [one for one in signals if one.kind == kind and one.result != "refused"]
        if not counted:
            continue
        sample, _ = HealthSample.objects.get_or_create(provider_id=provider_id, kind=kind, hour=hour)
        for one in counted:
            if one.result == "failed":
                sample.failed += 1
                continue
            sample.passed += 1
            if one.ms is not None:
                sample.latency_sum_ms += one.ms
                sample.times = latencies.counted(sample.times, one.ms)
        sample.save()


def purge(now: datetime | None = None) -> None:
    """Forget what is older than sixty days."""
    limit = (now or timezone.now()) - KEPT
    HealthSample.objects.filter(hour__lt=limit).delete()
    HealthEvent.objects.filter(at__lt=limit).delete()


# ---------------------------------------------------------------- who checks next
def claim(names: Sequence[str], every: timedelta, sooner: timedelta, now: datetime | None = None) -> list[str]:
    """Of these providers, those whose check is due and now this process's to make; what is not well is due `sooner`."""
    now = now or timezone.now()
    known = {row.provider_id: row for row in ProviderHealth.objects.filter(provider_id__in=names)}
    due = []
    for name in names:
        if name not in known:
            known[name], _ = ProviderHealth.objects.get_or_create(provider_id=name, defaults={"since": now})
        row = known[name]
        wait = every if row.state in {"ok", "expired"} else sooner
        open_to_all = Q(next_check_at__isnull=True) | Q(next_check_at__lte=now)
        mine = ProviderHealth.objects.filter(open_to_all, provider_id=name)
        if (row.next_check_at is None or row.next_check_at <= now) and mine.update(next_check_at=now + wait):
            due.append(name)
    return due
