"""The figures on the first page of the console, for the workspaces that its reader administers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncHour
from django.utils import timezone

from accounts.models import Membership, Workspace
from chat.models import Conversation, Run

HOURS = 24
BAR_WIDTH, BAR_STEP, CHART_HEIGHT = 20, 24, 64


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of the chart, in its user units; `label` is what a reader hears instead."""

    x: int
    y: int
    height: int
    label: str


@dataclass(frozen=True, slots=True)
class Figures:
    members: int
    conversations: int
    answers_today: int
    failed_today: int
    bars: tuple[Bar, ...]


def figures(workspaces: QuerySet[Workspace]) -> Figures:
    """Five queries, however large the workspaces are."""
    now = timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    runs = Run.objects.filter(workspace__in=workspaces)
    today = runs.filter(created_at__gte=midnight)
    return Figures(
        members=Membership.objects.filter(workspace__in=workspaces, user__is_active=True).count(),
        conversations=Conversation.objects.filter(workspace__in=workspaces).count(),
        answers_today=today.filter(state=Run.State.DONE).count(),
        failed_today=today.filter(state=Run.State.FAILED).count(),
        bars=_bars(runs, now.replace(minute=0, second=0, microsecond=0)),
    )


def _bars(runs: QuerySet[Run], this_hour: datetime) -> tuple[Bar, ...]:
    first = this_hour - timedelta(hours=HOURS - 1)
    done = runs.filter(state=Run.State.DONE, created_at__gte=first).order_by()
    counted = dict(done.annotate(hour=TruncHour("created_at")).values_list("hour").annotate(Count("pk")))
    hours = [first + timedelta(hours=n) for n in range(HOURS)]
    most = max([*counted.values(), 1])
    return tuple(_bar(n, hour, counted.get(hour, 0), most) for n, hour in enumerate(hours))


def _bar(position: int, hour: datetime, count: int, most: int) -> Bar:
    height = max(2, round(CHART_HEIGHT * count / most))
    return Bar(position * BAR_STEP, CHART_HEIGHT - height, height, f"{hour:%H}:00: {count}")
