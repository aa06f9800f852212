"""Runs that another run calls for: rows like any other, written by the process that writes their parent."""

import uuid
from typing import Any

from django.db.models.functions import Now

from chat.ledger import LEASE
from chat.models import Run


def create(parent: Run, owner: str, **fields: Any) -> Run:
    """A run already claimed by `owner`, who executes it at once; lost with it, it is closed as its parent is."""
    stream_id = uuid.uuid4()
    return Run.objects.create(
        parent=parent,
        stream_id=stream_id,
        branch=stream_id,
        workspace_id=parent.workspace_id,
        user_id=parent.user_id,
        conversation_id=parent.conversation_id,
        state=Run.State.RUNNING,
        lease_owner=owner,
        lease_until=Now() + LEASE,
        started_at=Now(),
        **fields,
    )
