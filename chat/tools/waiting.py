"""Calls that the client of a run executes: the run waits for their results here, `answer` brings them, on whatever
replica they arrive. The wait is a row; waking up early is a courtesy."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from accounts.policies import Actor
from accounts.problems import Problem, not_found
from chat import hub, journal
from chat.database import in_db
from chat.models import ClientCall, Run
from chat.protocol import clean
from chat.tools.contract import Scope
from chat.tools.results import RESULT_CHARS, Answered, note
from providers.contract import ToolCallPart
from providers.errors import ErrorCode, ProviderError

logger = logging.getLogger(__name__)

AWAITING = "awaiting_local_tool_results"
PATIENCE_SECONDS = 600.0
POLL_SECONDS = 1.0
CALL_ID_CHARS = 200


@dataclass(frozen=True, slots=True)
class Given:
    """What a client says that a call gave."""

    tool_call_id: str
    result: str
    is_error: bool = False


# ---------------------------------------------------------------- the run's side
async def results(calls: Sequence[ToolCallPart], scope: Scope) -> list[Answered]:
    """Announce the calls and wait for the result of each; one that does not come in time is left out."""
    if not calls:
        return []
    began = time.monotonic()
    open_calls = dict(zip(await in_db(_expect, scope.run, calls), calls, strict=True))
    answered: list[Answered] = []
    with hub.subscribe(_topic(scope.run.pk)) as mailbox:
        scope.writer.add("status", {"state": AWAITING, "tool_call_ids": [_id(call) for call in calls]})
        while open_calls and (left := PATIENCE_SECONDS - (time.monotonic() - began)) > 0:
            await mailbox.get(min(POLL_SECONDS, left))
            for pk, result, is_error in await _arrived(list(open_calls)):
                call = open_calls.pop(pk)
                answered.append((call, note(call, result, scope, is_error=is_error, began=began)))
    return answered


async def _arrived(waiting: list[int]) -> list[tuple[int, str, bool]]:
    """What has been answered since; a database that is away is waited for."""
    try:
        return await in_db(_answered, waiting)
    except (OperationalError, InterfaceError) as error:
        logger.warning("a run waits for the database: %s", type(error).__name__)
        return []


def _answered(waiting: list[int]) -> list[tuple[int, str, bool]]:
    rows = ClientCall.objects.filter(pk__in=waiting, answered_at__isnull=False).order_by("answered_at", "pk")
    return list(rows.values_list("pk", "result", "is_error"))


def _expect(run: Run, calls: Sequence[ToolCallPart]) -> list[int]:
    return [ClientCall.objects.create(run=run, call_id=_id(call)).pk for call in calls]


def silent(run: Run) -> ProviderError:
    """The end of a run whose client gave no result."""
    words = f"The client gave no result for its tools within {PATIENCE_SECONDS / 60:g} minutes."
    provider_id = run.served_model.partition("/")[0]
    return ProviderError(ErrorCode.TIMEOUT, words, provider_id=provider_id, detail="no_tool_results", partial=True)


def _id(call: ToolCallPart) -> str:
    return clean(call.call_id)[:CALL_ID_CHARS]


def _topic(run_id: UUID) -> str:
    return f"tools:{run_id}"


# ---------------------------------------------------------------- the client's side
def answer(actor: Actor, run_id: UUID, given: Sequence[Given]) -> Run:
    """Store results; the run goes on once it has those of all its calls. The same results may come again.

    Raises Problem: 404 for a foreign run as for a missing one, 413 result_too_long, 409 not_awaited (nothing waits for
    one of them; `tool_call_id` says which) or already_answered (otherwise than now). A refused request stores nothing.
    """
    for one in given:
        if len(one.result) > RESULT_CHARS:
            detail = f"A result may have {RESULT_CHARS:,} characters; this one has {len(one.result):,}."
            raise Problem(413, "result_too_long", "The result is too long.", detail, tool_call_id=one.tool_call_id)
    with transaction.atomic():
        run = Run.objects.visible_to(actor).select_for_update().filter(pk=run_id).first()
        if run is None:
            raise not_found()
        fresh = [row for one in given if (row := _taken(run, one)) is not None]
        ClientCall.objects.bulk_update(fresh, ["result", "is_error", "answered_at"])
    journal.wake([_topic(run.pk)])
    return run


def _taken(run: Run, one: Given) -> ClientCall | None:
    """The waiting row with its result, None when it has that already. The newest: servers may give an id again."""
    row = ClientCall.objects.filter(run=run, call_id=one.tool_call_id[:CALL_ID_CHARS]).order_by("-pk").first()
    said = clean(one.result)
    if row is not None and row.answered_at is not None:
        if (row.result, row.is_error) == (said, one.is_error):
            return None
        detail = "Its result is stored and cannot be changed."
        raise Problem(
            409, "already_answered", "This call was answered otherwise.", detail, tool_call_id=one.tool_call_id
        )
    if row is None or run.state != Run.State.RUNNING or run.stop_requested_at is not None:
        detail = "The run has ended, or it did not call this tool of yours."
        raise Problem(409, "not_awaited", "Nothing waits for this result.", detail, tool_call_id=one.tool_call_id)
    row.result, row.is_error, row.answered_at = said, one.is_error, timezone.now()
    return row
