"""Making and removing the limits of a workspace, and which of them hold for whom and until when; whether there is room
is `chat.limits`."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import Membership
from accounts.policies import Actor, require_administering
from accounts.problems import Problem, not_found
from catalog import policies, snapshot
from catalog.models import Limit

MOST = 100


@transaction.atomic
def create(actor: Actor, values: dict[str, Any]) -> Limit:
    """`values` are the columns of a limit, checked; `user` is one of the workspace. Raises Problem: 403, 422 too_many,
    member_not_found or invalid_limit."""
    require_administering(actor)
    if Limit.objects.visible_to(actor).count() >= MOST:
        raise Problem(422, "too_many", f"A workspace has at most {MOST} limits.", "Remove one first.")
    _check(values.get("soft"), values.get("hard"))
    user = values.get("user")
    if user and not Membership.objects.filter(workspace_id=actor.workspace_id, user=user).exists():
        raise Problem(422, "member_not_found", "Nobody of that id is in this workspace.", field="member")
    row = Limit.objects.create(workspace_id=actor.workspace_id, **values)
    told = {name: value for name, value in values.items() if name != "user"}
    audit.note(actor, "limit.created", str(row), **told, member=user.email if user else "")
    return row


@transaction.atomic
def remove(actor: Actor, pk: int) -> None:
    """Raises Problem 404, 403."""
    row = Limit.objects.visible_to(actor).filter(pk=pk).first()
    if row is None:
        raise not_found()
    require_administering(actor)
    audit.note(actor, "limit.removed", str(row))
    row.delete()


def _check(soft: int | None, hard: int | None) -> None:
    if soft is None and hard is None:
        raise Problem(422, "invalid_limit", "Give a soft limit, a hard one, or both.", field="hard")
    if soft is not None and hard is not None and soft > hard:
        raise Problem(422, "invalid_limit", "The soft limit is at most the hard one.", field="soft")


def holding(actor: Actor) -> list[Limit]:
    """The limits that hold for this member. One query, which is the catalog's."""
    rows = snapshot.current().limits.get(actor.workspace_id, ())
    return [row for row in rows if row.user_id in {None, actor.user_id}]


def about(limits: Iterable[Limit], key: str) -> list[Limit]:
    """Those that a request to the model `key` counts for. Pure."""
    provider_id, _, model_id = key.partition("/")
    return [one for one in limits if policies.of_model(one, provider_id, model_id)]


def begun(period: str, now: datetime) -> datetime:
    """When the current hour, day or month began, in UTC. Pure."""
    now = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    match period:
        case Limit.Period.HOUR:
            return now
        case Limit.Period.DAY:
            return now.replace(hour=0)
    return now.replace(day=1, hour=0)


def ends(period: str, now: datetime) -> datetime:
    """When it ends and counting begins anew. Pure."""
    since = begun(period, now)
    match period:
        case Limit.Period.HOUR:
            return since + timedelta(hours=1)
        case Limit.Period.DAY:
            return since + timedelta(days=1)
    return (since + timedelta(days=32)).replace(day=1)
