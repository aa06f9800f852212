"""The entry that every run has in what was used: made when it starts, settled in the transaction that ends it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from chat.models import Run, UsageEntry

COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")


def asked_for(run: Run) -> bool:
    """Whether somebody asked for this run; titles, summaries on the way and delegated tasks come of other runs."""
    return run.parent_id is None and run.input.get("what") != "title"


def enter(run: Run, model: str, reserved: int) -> None:
    """Count the run from now on, with so many tokens until the provider's counts are there."""
    UsageEntry.objects.create(
        run_id=run.pk,
        workspace_id=run.workspace_id,
        user_id=run.user_id,
        at=timezone.now(),
        context=run.context,
        model=model,
        requests=int(asked_for(run)),
        reserved=reserved,
    )


def move(run: Run, model: str, reserved: int) -> None:
    """The run's model turns out to be another one."""
    UsageEntry.objects.filter(run=run).update(model=model, reserved=reserved, at=timezone.now())


def model_of(run: Run) -> str | None:
    """The model that the run is counted for; None before it is counted."""
    return UsageEntry.objects.filter(run=run).values_list("model", flat=True).first()


def settle(run_id: UUID, state: str, row: Mapping[str, Any]) -> None:
    """A run ends with `row`. It leaves no entry when nobody was called; a guess gives way to what was counted."""
    entry = UsageEntry.objects.filter(run=run_id)
    if not row.get("trace", {}).get("attempts"):
        entry.delete()
        return
    usage = row.get("usage", {})
    found: dict[str, Any] = {name: usage.get(name) for name in COUNTS}
    if found["output_tokens"] is not None or row.get("first_content_at") is None:
        found["reserved"] = 0
    found |= {"model": row["served_model"], "credential_source": row["credential_source"]}
    entry.update(**found, answered=state == Run.State.DONE)


def settle_lost(run: Run) -> None:
    """A run ends that no process writes: what it took is not known, so that the guess stays, unless it never began."""
    entry = UsageEntry.objects.filter(run=run)
    if run.started_at is None:
        entry.delete()
    elif run.served_model:
        entry.update(model=run.served_model, credential_source=run.credential_source)
