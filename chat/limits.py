"""Whether a member may start a run under the workspace's limits, and what remains of each.

A run is checked once, when it starts, and once more only when another model answers it than was planned. Starts of one
member in one workspace wait for each other; what they are expected to take is reserved until it is counted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Membership
from accounts.policies import Actor
from accounts.problems import Problem
from catalog import limits
from catalog.facts import facts_for
from catalog.models import Limit
from catalog.routing import Plan, RoutingRequest, plan
from chat import entries, estimates
from chat.models import Run, UsageEntry
from providers.errors import ErrorCode

# What an answer takes that nobody can foresee, and at most what a document's question sends of it.
ANSWER_TOKENS = 1_000
DOCUMENT_TOKENS = 12_000
THIS = {"hour": "this hour", "day": "today", "month": "this month"}

type Counted = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a member stands with a limit: `used` in the period that ends at `resets_at`."""

    limit: Limit
    used: int
    resets_at: datetime

    @property
    def left(self) -> int | None:
        """None where nothing is refused."""
        return None if self.limit.hard is None else max(0, self.limit.hard - self.used)

    @property
    def share(self) -> int:
        """Of what may be used, in percent."""
        return min(100, round(100 * self.used / (self.limit.hard or self.limit.soft or 1)))

    @property
    def near(self) -> bool:
        """Whether the member is to be told."""
        return self.used >= self.limit.warns_from

    @property
    def reached(self) -> bool:
        return self.left == 0

    @property
    def when(self) -> str:
        return f"{self.resets_at:%H:%M}" if self.limit.period == Limit.Period.HOUR else f"{self.resets_at:%d %b %H:%M}"

    @property
    def about(self) -> str:
        """What it is about, in words."""
        named = [word for word in (self.limit.provider_id, self.limit.model_pattern) if word]
        return f" of {' '.join(named)}" if named else ""

    @property
    def words(self) -> str:
        """For the member: what is left, and until when."""
        limit = self.limit
        until = f"Counting begins anew at {self.when} UTC."
        if limit.hard is None:
            over = f"You have used {self.used:,} {limit.measure}{self.about} {THIS[limit.period]}"
            return f"{over}; your workspace asks for at most {limit.soft:,}. {until}"
        return f"{self.left:,} of {limit.hard:,} {limit.measure}{self.about} left {THIS[limit.period]}. {until}"


class Reached(Exception):
    """There is no room under a limit."""

    def __init__(self, standing: Standing, now: datetime) -> None:
        self.standing = standing
        self.seconds = max(1, round((standing.resets_at - now).total_seconds()))
        super().__init__(self.title)

    @property
    def title(self) -> str:
        return f"Your limit of {self.standing.limit} is reached."

    @property
    def detail(self) -> str:
        limit = self.standing.limit
        narrow = bool(limit.provider_id or limit.model_pattern)
        other = "Choose another model, or ask" if narrow else "Wait until then, or ask"
        used = f"You have used {self.standing.used:,} {limit.measure}."
        again = f"Counting begins anew at {self.standing.when} UTC."
        return f"{used} {again} {other} an administrator to raise it."

    def facts(self) -> dict[str, Any]:
        limit = self.standing.limit
        found = {"measure": limit.measure, "period": limit.period, "hard": limit.hard, "used": self.standing.used}
        return found | {"resets_at": self.standing.resets_at.isoformat()}

    def problem(self) -> Problem:
        return Problem(429, "limit_reached", self.title, self.detail, retry_after=self.seconds, limit=self.facts())


def standings(actor: Actor, key: str = "") -> list[Standing]:
    """Each limit that holds for this member; with a model's key, those that a request to it counts for. Two queries,
    one where there are none."""
    mine = limits.holding(actor)
    return _standings(actor, limits.about(mine, key) if key else mine, timezone.now())


def near(actor: Actor, key: str) -> list[Standing]:
    """What a member is told before they ask a model: the limits of which little is left."""
    return [one for one in standings(actor, key) if one.near]


def admit(actor: Actor, run: Run) -> None:
    """Count a run that is being stored, in its transaction. Raises Problem 429 limit_reached (extra `limit`,
    `retry_after`)."""
    key = _first(actor, run) if limits.holding(actor) else ""
    try:
        entries.enter(run, key or run.served_model, _expected_within(actor, run, key))
    except Reached as reached:
        raise reached.problem() from None


def admitted(actor: Actor, run: Run, where: Plan, *, new: bool = False) -> Plan:
    """The plan, once the run is counted for its first attempt; without attempts when there is no room for that. A `new`
    run is not counted yet, and may be stored later in the caller's transaction."""
    key = _answers(where)
    counted = None if new or not key else entries.model_of(run)
    if counted == key or not key:
        return where
    try:
        with transaction.atomic():
            count = entries.enter if counted is None else entries.move
            count(run, key, _expected_within(actor, run, key))
    except Reached as reached:
        return _refused(where, reached)
    return where


def foreseen(actor: Actor, where: Plan, tokens: int) -> tuple[Plan, list[Standing]]:
    """What `admitted` would make of the plan of a request that sends so many tokens, and how its member stands with the
    limits that it counts for. Nothing is counted."""
    key, now = _answers(where), timezone.now()
    found = _standings(actor, limits.about(limits.holding(actor), key), now) if key else []
    try:
        for standing in found:
            _check(standing, tokens + ANSWER_TOKENS, now)
    except Reached as reached:
        return _refused(where, reached), found
    return where, found


def _refused(where: Plan, reached: Reached) -> Plan:
    told = {**where.trace, "limit": reached.facts() | {"retry_after": reached.seconds}}
    message = f"{reached.title} {reached.detail}"
    return replace(where, attempts=(), error=ErrorCode.POLICY_DENIED, message=message, trace=told)


def _first(actor: Actor, run: Run) -> str:
    """The key of the model that the run would go to now, empty when it can go nowhere."""
    named, held = ("", run.requested_model) if run.sticky else (run.requested_model, "")
    return _answers(plan(RoutingRequest(run.context, named, held), facts_for(actor)))


def _answers(where: Plan) -> str:
    """The key of the model that is asked first, empty for none."""
    return f"{where.attempts[0].provider_id}/{where.attempts[0].model_id}" if where.attempts else ""


def _expected_within(actor: Actor, run: Run, key: str) -> int:
    """The tokens that the run is expected to take, 0 where no limit asks for them. Raises Reached when there is no room
    for it. Inside a transaction, which keeps the room until it is counted."""
    due = limits.about(limits.holding(actor), key) if key else []
    if not entries.asked_for(run):
        due = [one for one in due if one.measure == Limit.Measure.TOKENS]
    expected = _expected(run) if any(one.measure == Limit.Measure.TOKENS for one in due) else 0
    hard = [one for one in due if one.hard is not None]
    if hard:
        # One start of a member at a time; SQLite has one writer at a time anyway.
        mine = Membership.objects.filter(workspace_id=actor.workspace_id, user_id=actor.user_id)
        list(mine.select_for_update(no_key=True).values_list("pk"))
        now = timezone.now()
        for standing in _standings(actor, hard, now, besides=run):
            _check(standing, expected, now)
    return expected


def _check(standing: Standing, expected: int, now: datetime) -> None:
    """Raises Reached."""
    hard = standing.limit.hard
    if hard is None:
        return
    # A request that is larger than the whole limit has it for itself.
    wanted = 1 if standing.limit.measure == Limit.Measure.REQUESTS else min(expected, hard)
    if standing.used + wanted > hard:
        raise Reached(standing, now)


def _expected(run: Run) -> int:
    """The tokens that a run will take, as far as that can be told at once: what it is asked, and of its conversation
    what the newest answer took."""
    passing = int(run.input.get("tokens", 0))  # of what is not kept here
    asked = estimates.of_text(json.dumps(run.input, ensure_ascii=False)) + passing + ANSWER_TOKENS
    if run.answer is not None and run.answer.parent is not None:
        asked += estimates.of_text(run.answer.parent.text)
    if run.document is not None:
        asked += min(run.document.token_estimate or 0, DOCUMENT_TOKENS)
    if run.conversation_id is not None and entries.asked_for(run):
        before = Run.objects.filter(conversation=run.conversation_id, state=Run.State.DONE, parent=None)
        usage = before.exclude(pk=run.pk).order_by("-created_at").values_list("usage", flat=True).first() or {}
        asked += (usage.get("input_tokens") or 0) + (usage.get("output_tokens") or 0)
    return asked


def _standings(actor: Actor, due: Sequence[Limit], now: datetime, besides: Run | None = None) -> list[Standing]:
    """One query, none without limits."""
    counted = _counted(actor, due, now, besides) if due else {}
    return [Standing(one, _used(one, counted), limits.ends(one.period, now)) for one in due]


def _used(limit: Limit, counted: Counted) -> int:
    amount = f"{limit.period}_{limit.measure}"
    return sum(sums[amount] or 0 for key, sums in counted.items() if limits.about([limit], key))


def _counted(actor: Actor, due: Sequence[Limit], now: datetime, besides: Run | None) -> Counted:
    """By model, what the member has used in each of the periods that are looked at."""
    since = {one.period: limits.begun(one.period, now) for one in due}
    rows = UsageEntry.objects.visible_to(actor).filter(at__gte=min(since.values()))
    if besides is not None:
        rows = rows.exclude(run=besides)
    tokens = F("reserved") + Coalesce("input_tokens", 0) + Coalesce("output_tokens", 0)
    sums = {}
    for period, begun in since.items():
        sums[f"{period}_{Limit.Measure.REQUESTS.value}"] = Sum("requests", filter=Q(at__gte=begun))
        sums[f"{period}_{Limit.Measure.TOKENS.value}"] = Sum(tokens, filter=Q(at__gte=begun))
    found: Any = rows.order_by().values("model").annotate(**sums)
    return {row.pop("model"): row for row in found}
