"""One run from its plan to its outcome: asks routing where to go, drives the provider, hands events to the journal.
What is asked, and what is made of the answer, is a flow in `flows`; an answer of several requests is `steps`."""

import base64
import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, Self

from django.conf import settings
from django.utils import timezone

from accounts.models import Membership
from accounts.policies import Actor, actor_for
from catalog import observing
from catalog.facts import facts_for
from catalog.routing import Plan, RoutingRequest, plan
from chat import limits, native, protocol, provenance
from chat.database import in_db
from chat.journal import Writer
from chat.ledger import Closing
from chat.models import Run
from chat.provenance import Tried
from providers import events
from providers.contract import GenerateRequest, Message
from providers.errors import ErrorCode, ProviderError
from providers.renewal import aopen_ref, arenew
from providers.resolution import Reference
from providers.runtime import stream

logger = logging.getLogger(__name__)


class Sink(Protocol):
    """Where a request's events go; a journal's writer, or something that listens aside."""

    @property
    def fold(self) -> protocol.Fold: ...

    def add(self, event_type: str, data: dict[str, Any]) -> None: ...


type Flow = Callable[[Run, Writer], Awaitable["Outcome"]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a generation ended: exactly one of `finished`, `error`, or `state` STOPPED. `said` are the model's messages
    and the results of its calls, in order, for an answer that is replayed."""

    state: Run.State
    finished: events.Finished | None = None
    error: ProviderError | None = None
    said: Sequence[Message] = ()

    @classmethod
    def stopped(cls) -> Self:
        return cls(Run.State.STOPPED)

    @classmethod
    def interrupted(cls) -> Self:
        return cls(Run.State.INTERRUPTED)

    def closing(self, run: Run, parts: list[dict[str, Any]]) -> Closing:
        """The terminal event and the rows that go with it."""
        provider_id, _, model_id = run.served_model.partition("/")
        provenance.close(run, self.state.value)
        seen = {"first_content_at": run.first_content_at, "usage": run.usage, **provenance.row(run)}
        # An answer keeps its parts in its message; a run without one keeps them itself.
        seen["output"] = run.output if run.answer_id else {**run.output, "parts": parts}
        if self.finished is not None:
            data = protocol.done(self.finished, provider_id=provider_id, model_id=model_id)
            row = {**seen, "usage": data["usage"], "finish_reason": data["finish_reason"]}
            return Closing("done", data, self.state, parts, native.dump(self.said), row)
        if self.state == Run.State.STOPPED:
            data = protocol.stopped(provider_id=provider_id, model_id=model_id)
            return Closing("done", data, self.state, parts, run={"finish_reason": "stopped", **seen})
        data = protocol.failure(self.error) if self.error else protocol.interrupted(provider_id)
        data |= {"provider_id": data["provider_id"] or provider_id, "model_id": model_id}
        return Closing("error", data, self.state, parts, run={"error": data, **seen})


async def execute(run: Run, writer: Writer, flow: Flow) -> Outcome:
    """Drive one run through its flow to its outcome. Cancelling the task closes the upstream socket."""
    try:
        return await flow(run, writer)
    except ProviderError as error:
        return Outcome(Run.State.FAILED, error=error)
    except Exception:
        # The one broad except of the house: whatever breaks in here, the run must still end with an event.
        logger.exception("run %s failed inside Parley", run.pk)
        ours = "Parley failed while writing this answer. What arrived is kept."
        return Outcome(Run.State.FAILED, error=ProviderError(ErrorCode.INTERRUPTED, ours, provider_id=provider_of(run)))


def begin(run: Run, writer: Writer, where: Plan) -> None:
    """Open the journal. Raises ProviderError when the run may not go anywhere."""
    started = {"state": "started", "requested": run.requested_model, "model": run.served_model}
    writer.add("status", started | provenance.credential(run))
    if stand_in := provenance.stand_in(run):
        moved = {"state": "fallback", "model": run.served_model, "backup": True, "reason": stand_in}
        writer.add("status", moved | provenance.credential(run))
    if refusal := refusal_of(where, provider_of(run)):
        raise refusal


def refusal_of(where: Plan, provider_id: str) -> ProviderError | None:
    """Why a plan leads nowhere, if it does not."""
    if where.error is None:
        return None
    limit = where.trace.get("limit", {})
    return ProviderError(
        where.error,
        where.message,
        provider_id=provider_id,
        detail=protocol.LIMIT_REACHED if limit else None,
        retry_after=limit.get("retry_after"),
    )


async def drive(run: Run, writer: Sink, where: Plan, request: GenerateRequest, **more: Any) -> events.Finished:
    """One request through the plan's attempts into the journal, its text with `more` in the data. A run may drive more
    than one: its trace keeps the tries of all. Raises ProviderError."""
    with Tried(run, where.attempts) as tried:
        async with aclosing(stream(where.attempts, request, aopen_ref, renew=arenew)) as received:
            async for event in received:
                if isinstance(event, events.Finished):
                    await _note(run, request, event)
                    return event
                if isinstance(event, events.AttemptChanged):
                    await _move_on(run, event, tried, writer)
                    continue
                if run.first_content_at is None and isinstance(event, events.CONTENT_EVENTS):
                    run.first_content_at = timezone.now()
                _write(event, writer, more)
        raise ProviderError(ErrorCode.PROVIDER_UNAVAILABLE, "The stream ended early.", provider_id=provider_of(run))


async def _note(run: Run, request: GenerateRequest, finished: events.Finished) -> None:
    """Tell the catalog what the model has just shown that it can do."""
    shown = observing.shown(request.messages, finished.message)
    if observing.news(run.served_model, shown):
        await in_db(observing.saw, run.served_model, shown)


async def _move_on(run: Run, event: events.AttemptChanged, tried: Tried, writer: Sink) -> None:
    """Note the next try. A fallback is on the run's row before anybody is called, and says whose key it takes."""
    tried.next(event)
    if event.state == "attempt":
        return  # `started` has said it already
    data = protocol.moved(event)
    if event.state == "fallback":
        await in_db(Run.objects.filter(pk=run.pk).update, **provenance.row(run))
        data |= {"model": run.served_model, **provenance.credential(run)}
    writer.add("status", data)


def _write(event: events.StreamEvent, writer: Sink, more: dict[str, Any]) -> None:
    entry = protocol.record(event)
    if entry is not None:
        writer.add(entry[0], entry[1] | more if entry[0] == "content_delta" else entry[1])
    if writer.fold.chars > protocol.MAX_ANSWER_CHARS:
        limit = f"The answer passed {protocol.MAX_ANSWER_CHARS:,} characters and was ended."
        raise ProviderError(ErrorCode.INVALID_REQUEST, limit, provider_id="", detail="answer_too_long", partial=True)


def provider_of(run: Run) -> str:
    return (run.served_model or run.requested_model).partition("/")[0]


def route(run: Run, needs: frozenset[str] = frozenset()) -> Plan:
    """Where the run goes; the choice is stored before anybody is called. `needs` are abilities that it must have."""
    actor = _actor(run)
    named, held = ("", run.requested_model) if run.sticky else (run.requested_model, "")
    reference = Reference(**run.input["credential"]) if "credential" in run.input else None
    wanted = RoutingRequest(run.context, named, held, needs)
    where = limits.admitted(actor, run, plan(wanted, facts_for(actor, reference)))
    run.trace = where.trace
    if where.attempts:
        provenance.serve(run, where.attempts[0])
    Run.objects.filter(pk=run.pk).update(**provenance.row(run))
    return where


def _actor(run: Run) -> Actor:
    membership = Membership.objects.filter(user_id=run.user_id, workspace_id=run.workspace_id).first()
    if membership is None:
        ended = "This membership has ended."
        raise ProviderError(ErrorCode.POLICY_DENIED, ended, provider_id=provider_of(run))
    return actor_for(membership)


def end_user(run: Run) -> str:
    """An identifier that tells a provider one person from another, and nothing else."""
    seed = f"v1:{run.workspace_id}:{run.user_id}".encode()
    digest = hmac.new(settings.FINGERPRINT_PEPPER.encode(), seed, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()[:43]
