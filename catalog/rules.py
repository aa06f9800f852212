"""Making and removing the allow and deny rows of a workspace; what they mean is `policies.decide`."""

from typing import Any

from django.db import transaction

from accounts import audit
from accounts.policies import Actor
from accounts.problems import not_found
from catalog.models import Rule
from catalog.naming import require_administrator


@transaction.atomic
def create(actor: Actor, values: dict[str, Any]) -> Rule:
    """`values` are the columns of a rule, checked. Raises Problem 403."""
    require_administrator(actor)
    row = Rule.objects.create(workspace_id=actor.workspace_id, **values)
    audit.note(actor, "rule.created", str(row), **values)
    return row


@transaction.atomic
def remove(actor: Actor, pk: int) -> None:
    """Raises Problem 404, 403."""
    row = Rule.objects.visible_to(actor).filter(pk=pk).first()
    if row is None:
        raise not_found()
    require_administrator(actor)
    audit.note(actor, "rule.removed", str(row))
    row.delete()
