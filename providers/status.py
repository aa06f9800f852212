"""What the status page says, as plain values: one line a provider with sixty days of checks, and what changed when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from accounts.policies import Actor
from providers import credential_words, latencies, registry, standing
from providers.health import KEPT
from providers.judging import SLOW
from providers.models import Credential, HealthSample, ProviderHealth
from providers.session_parts import end_of
from providers.standing import SESSION_EXPIRED, Candidate, Mark, Stand, stand
from providers.when import ago

DAYS = KEPT.days
BAR_PITCH = 10
METHODS = dict(Credential.Method.choices) | {"anthropic_profile": "Console profile"}


@dataclass(frozen=True, slots=True)
class Day:
    """One day of checks. `x`, `y` and `height` place its bar, `tone` is its class: none, w, b or n."""

    date: date
    passed: int
    failed: int
    x: int
    y: int
    height: int
    tone: str


@dataclass(frozen=True, slots=True)
class CredentialLine:
    """`said` names it and says what becomes of it; `kind` is how it came about."""

    said: str
    kind: str
    facts: tuple[str, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Line:
    """One provider. `passed` is the share of checks in words, `curve` the path of the last day's times; `median` and
    `late` (95th percentile) are words, `timed` says of what. `reason` is the code behind the provider's own state,
    `latency` how long its last check took; `credentials` are those that the reader may use. Somebody without a
    credential sees no history."""

    provider: registry.Provider
    mark: Mark
    since: str
    checked_at: datetime | None
    days: tuple[Day, ...]
    passed: str
    curve: str
    median: str
    late: str
    timed: str
    note: str
    reason: str
    latency: str
    candidates: tuple[Candidate, ...]
    credentials: tuple[CredentialLine, ...]

    @property
    def checked_days(self) -> list[Day]:
        return [day for day in reversed(self.days) if day.passed or day.failed]


def lines(actor: Actor, now: datetime | None = None) -> list[Line]:
    """Every available provider, in display order. Three queries, four while one is in trouble."""
    now = now or timezone.now()
    samples: dict[str, list[HealthSample]] = {}
    for sample in HealthSample.objects.filter(hour__gte=now - KEPT):
        samples.setdefault(sample.provider_id, []).append(sample)
    return [_line(one, samples.get(one.provider.provider_id, []) if one.row else [], now) for one in stand(actor)]


def version(found: Sequence[Line]) -> str:
    """That of the credentials which the page shows."""
    return standing.version(each.descriptor for line in found for each in line.candidates)


def _line(one: Stand, samples: Sequence[HealthSample], now: datetime) -> Line:
    provider, seen, row = one.provider, one.mark, one.row
    checks = [each for each in samples if each.kind == HealthSample.Kind.CHECK]
    runs = [each for each in samples if each.kind == HealthSample.Kind.RUN]
    yesterday = now - timedelta(days=1)
    timed = [each for each in runs if each.hour >= yesterday and each.times]
    words = "time to the first word" if timed else "time of a check"
    timed = timed or [each for each in checks if each.hour >= yesterday and each.times]
    times = latencies.total(each.times for each in timed)
    agrees = row is not None and row.state == seen.state
    return Line(
        provider=provider,
        mark=seen,
        since=_since(row.since, now) if row and agrees and seen.state != "ok" else "",
        checked_at=row.last_checked_at if row else None,
        days=days(checks, now.date()),
        passed=share(checks),
        curve=curve([(each.hour, each.latency_sum_ms / sum(each.times)) for each in timed], now),
        median=_seconds(latencies.quantile(times, 0.5)),
        late=_seconds(latencies.quantile(times, 0.95)),
        timed=words if times else "",
        note=_note(provider, seen, row if agrees else None),
        reason=row.reason if row else "",
        latency=_seconds(row.latency_ms) if row else _seconds(None),
        candidates=one.candidates,
        credentials=tuple(_credential(each, one, now) for each in one.candidates),
    )


def _credential(one: Candidate, of: Stand, now: datetime) -> CredentialLine:
    """What is asked with the installation's own credential is the provider's own check."""
    found = one.descriptor
    at = found.checked_at or (of.row.last_checked_at if of.row and found.source == "environment" else None)
    end = " ".join(end_of(found, now)).strip()
    return CredentialLine(
        credential_words.said(one.line),
        METHODS.get(found.method, "API key"),
        (*([end] if end else []), f"Checked {ago(at, now)}" if at else "Never checked"),
        one.mark,
    )


# ---------------------------------------------------------------- pictures
def days(checks: Sequence[HealthSample], today: date) -> tuple[Day, ...]:
    """Sixty bars, the oldest first."""
    passed: dict[date, int] = {}
    failed: dict[date, int] = {}
    for one in checks:
        at = one.hour.date()
        passed[at] = passed.get(at, 0) + one.passed
        failed[at] = failed.get(at, 0) + one.failed
    found = []
    for place in range(DAYS):
        at = today - timedelta(days=DAYS - 1 - place)
        good, bad = passed.get(at, 0), failed.get(at, 0)
        tone = "n" if not good + bad else "" if not bad else "b" if bad > good else "w"
        y = 8 if tone == "w" else 0
        found.append(Day(at, good, bad, place * BAR_PITCH + 1, y, 32 - y, tone))
    return tuple(found)


def share(checks: Sequence[HealthSample]) -> str:
    passed, failed = sum(one.passed for one in checks), sum(one.failed for one in checks)
    if not passed + failed:
        return "never checked"
    percent = 100 * passed / (passed + failed)
    # A failure is never rounded away.
    words = "100" if not failed else f"{min(percent, 99.99):.2f}"
    return f"{words}% of checks passed"


def curve(hours: Sequence[tuple[datetime, float]], now: datetime) -> str:
    """A path through the mean of each hour of the last day, in a box of 100 by 30; empty below two hours."""
    if len(hours) < 2:
        return ""
    top = max(mean for _, mean in hours) or 1.0
    points = []
    for hour, mean in sorted(hours):
        x = 100 - min(100.0, max(0.0, (now - hour).total_seconds() / 864))
        points.append(f"{x:.1f} {27 - 22 * mean / top:.1f}")
    return "M" + " L".join(points)


# ---------------------------------------------------------------- words
def _seconds(ms: float | None) -> str:
    if ms is None:
        return "\N{EN DASH}"
    return f"{ms / 1000:.2f} s" if ms < 1000 else f"{ms / 1000:.1f} s"


def _since(moment: datetime, now: datetime) -> str:
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment.day} {moment:%b}"


def _note(provider: registry.Provider, seen: Mark, row: ProviderHealth | None) -> str:
    if not seen.connected:
        return "No credential for you in this workspace, so nothing is checked."
    match seen.state:
        case "down" if row:
            return "The last checks and answers failed. It is checked again every minute."
        case "expired" if seen.text == SESSION_EXPIRED:
            return "The session has ended. Requests wait until it is renewed, or a key is preferred."
        case "down" | "expired":
            return "The key was refused or could not be checked. Answers through it fail until that is put right."
        case "degraded" if row and row.reason == SLOW:
            return "It answers, but much later than usual."
        case "degraded":
            return "Some checks or answers failed in the last ten minutes. It is checked again every minute."
    return ""


def checked_words(found: Sequence[Line], now: datetime) -> str:
    moments = [line.checked_at for line in found if line.checked_at]
    return f"Checked {ago(max(moments), now)}" if moments else "Not checked yet"
