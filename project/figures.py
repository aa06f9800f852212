"""The figures on the first page of the console, for the workspaces that its reader administers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, TruncHour
from django.utils import timezone

from accounts.models import Workspace
from chat.models import Run
from providers.models import Credential
from providers.tries import MOST_ATTEMPTS, MOST_RETRIES

HOURS = 24
DAYS = 7
MOST_CODES = 8
BAR_WIDTH, BAR_STEP, CHART_HEIGHT = 20, 24, 64
CODE_WIDTH = 300
# A run that asked once has a line for each try; the first cannot be a fallback.
TRIES = MOST_ATTEMPTS * (MOST_RETRIES + 1)
FELL_BACK = Q(
    *((f"trace__attempts__{place}__state", "fallback") for place in range(1, TRIES)),
    _connector=Q.OR,
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of the chart, in its user units; `label` is what a reader hears instead."""

    x: int
    y: int
    height: int
    label: str


@dataclass(frozen=True, slots=True)
class Code:
    """How many answers failed with this code; `width` is that of its bar."""

    code: str
    count: int
    width: int


@dataclass(frozen=True, slots=True)
class Figures:
    """`active` of `members` asked something in the last seven days; answers, failures and fallbacks are the last
    day's; `renew` counts credentials of workspaces that are refused, have ended or cannot be read."""

    active: int
    members: int
    answers: int
    failed: int
    fallbacks: int
    renew: int
    bars: tuple[Bar, ...]
    most: int
    codes: tuple[Code, ...]


def figures(workspaces: QuerySet[Workspace], now: datetime | None = None) -> Figures:
    """Four queries, however large the workspaces are."""
    now = now or timezone.now()
    week = Run.objects.filter(workspace__in=workspaces, created_at__gte=now - timedelta(days=DAYS)).order_by()
    today = Q(created_at__gte=now - timedelta(hours=HOURS))
    counted = week.aggregate(
        active=Count("user", distinct=True),
        answers=Count("pk", filter=today & Q(state=Run.State.DONE)),
        failed=Count("pk", filter=today & Q(state=Run.State.FAILED)),
        fallbacks=Count("pk", filter=today & FELL_BACK),
    )
    over = Q(credentials__state__in=[Credential.State.REFUSED, *Credential.OVER])
    over |= Q(credentials__method=Credential.Method.BEARER, credentials__expires_at__lte=now)
    # The workspaces anew: the way to them may lead through their reader's own membership.
    held = Workspace.objects.filter(pk__in=workspaces.values("pk")).aggregate(
        members=Count("memberships", filter=Q(memberships__user__is_active=True), distinct=True),
        renew=Count("credentials", filter=over & Q(credentials__user__isnull=True), distinct=True),
    )
    bars, most = _bars(week.filter(today), now.replace(minute=0, second=0, microsecond=0))
    return Figures(**counted, **held, bars=bars, most=most, codes=_codes(week))


def _bars(runs: QuerySet[Run], this_hour: datetime) -> tuple[tuple[Bar, ...], int]:
    """A bar for each hour, and how many answers the highest stands for."""
    first = this_hour - timedelta(hours=HOURS - 1)
    done = runs.filter(state=Run.State.DONE, created_at__gte=first)
    counted = dict(done.annotate(hour=TruncHour("created_at")).values_list("hour").annotate(Count("pk")))
    hours = [first + timedelta(hours=n) for n in range(HOURS)]
    most = max(counted.values(), default=0)
    return tuple(_bar(n, hour, counted.get(hour, 0), most or 1) for n, hour in enumerate(hours)), most


def _bar(position: int, hour: datetime, count: int, most: int) -> Bar:
    height = max(2, round(CHART_HEIGHT * count / most))
    return Bar(position * BAR_STEP, CHART_HEIGHT - height, height, f"{hour:%H}:00: {count}")


def _codes(runs: QuerySet[Run]) -> tuple[Code, ...]:
    failed = runs.filter(state__in=[Run.State.FAILED, Run.State.INTERRUPTED]).annotate(
        code=Coalesce(KT("error__code"), Value("unknown"), output_field=TextField())
    )
    counted = list(failed.values_list("code").annotate(count=Count("pk")).order_by("-count", "code")[:MOST_CODES])
    most = max((count for _, count in counted), default=1)
    return tuple(Code(code, count, max(2, round(CODE_WIDTH * count / most))) for code, count in counted)
