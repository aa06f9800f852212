"""One answer passed through: routed like any other, driven straight to the client, with a run that says how it
went. The run's end is written off the way of the answer."""

import json
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from accounts.actors import Scope
from accounts.policies import Actor
from catalog.facts import Facts, facts_for
from catalog.models import Context
from catalog.routing import Plan, RoutingRequest, plan
from chat import entries, estimates, limits, protocol, provenance, runner
from chat.database import beside, in_db
from chat.execution import end_user, provider_of, refusal_of
from chat.flows.structured import SYSTEM
from chat.gateway import watch
from chat.gateway.shapes import Question
from chat.models import Run
from chat.provenance import Tried
from chat.usage import added
from providers.contract import Deadlines, GenerateRequest
from providers.errors import ProviderError
from providers.events import CONTENT_EVENTS, AttemptChanged, Finished, StreamEvent
from providers.renewal import aopen_ref, arenew
from providers.runtime import stream

logger = logging.getLogger(__name__)

# Nobody renews it: an answer is over by then, or its process is.
LEASE = timedelta(seconds=Deadlines().total + 60)


@dataclass(slots=True)
class Passage:
    """A run that has begun, where it may go, and what is asked."""

    run: Run
    where: Plan
    request: GenerateRequest


async def enter(actor: Actor, question: Question) -> Passage:
    """Decide where the question goes, and store its run. Raises ProviderError when it may go nowhere."""
    passage = await in_db(_begun, actor, question)
    if refusal := refusal_of(passage.where, provider_of(passage.run)):
        _end(passage.run, refusal)
        raise refusal
    return passage


async def events(passage: Passage, actor: Actor, scope: Scope) -> AsyncGenerator[StreamEvent]:
    """The answer's events up to `Finished`. Closing this, or cancelling who reads it, closes the upstream at once; the
    end is noted in any case. Raises ProviderError, and Problem when it is stopped or `scope` no longer lets its actor
    in."""
    run = passage.run
    try:
        with Tried(run, passage.where.attempts) as tried, watch.over(run, actor, scope) as leash:
            async with aclosing(stream(passage.where.attempts, passage.request, aopen_ref, renew=arenew)) as received:
                while (event := await leash.next(received)) is not None:
                    if isinstance(event, AttemptChanged):
                        tried.next(event)
                        continue
                    if run.first_content_at is None and isinstance(event, CONTENT_EVENTS):
                        run.first_content_at = timezone.now()
                    if isinstance(event, Finished):
                        run.state, run.finish_reason = Run.State.DONE, event.reason.value
                        run.usage = added(run.usage, event.usage)
                    yield event
    except ProviderError as error:
        _end(run, error)
        raise
    finally:
        if run.state == Run.State.RUNNING:
            run.state, run.finish_reason = Run.State.STOPPED, "stopped"
        if run.state != Run.State.FAILED:
            _end(run)


def _end(run: Run, error: ProviderError | None = None) -> None:
    """Note how a run ended, beside whatever goes on."""
    if error is not None:
        run.state, run.error = Run.State.FAILED, protocol.failure(error)
    provenance.close(run, run.state)
    beside(_ended, run)


def _ended(run: Run) -> None:
    try:
        _store_end(run)
    except (OperationalError, InterfaceError) as error:
        logger.warning("the end of run %s was not noted: %s", run.pk, type(error).__name__)


@transaction.atomic
def _store_end(run: Run) -> None:
    seen = {name: getattr(run, name) for name in ("first_content_at", "usage", "error", "finish_reason")}
    row = seen | provenance.row(run)
    mine = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING)
    if mine.update(state=run.state, ended_at=timezone.now(), lease_until=None, **row):
        entries.settle(run.pk, run.state, row)


@transaction.atomic
def _begun(actor: Actor, question: Question) -> Passage:
    facts = facts_for(actor, relayed=True)
    context = Context.STRUCTURED if question.schema else Context.CHAT
    name = called(question.model, facts)
    run = Run(
        stream_id=uuid.uuid4(),
        branch=uuid.uuid4(),
        context=context,
        workspace_id=actor.workspace_id,
        user_id=actor.user_id,
        requested_model=name,
        state=Run.State.RUNNING,
        input={"door": "gateway", "tokens": estimates.of_messages(question.messages)},
        started_at=timezone.now(),
        lease_owner=runner.name(),
        lease_until=timezone.now() + LEASE,
    )
    where = limits.admitted(actor, run, plan(RoutingRequest(context, name, "", question.needs), facts), new=True)
    run.trace = where.trace
    if where.attempts:
        provenance.serve(run, where.attempts[0])
    run.save(force_insert=True)
    return Passage(run, where, _request(run, question, native=_native(where, facts)))


def called(name: str, facts: Facts) -> str:
    """A model's key for the name that a client has for it: clients that know vendors' names leave the provider out."""
    if not name or name in facts.models or facts.alias(name):
        return name
    same = [key for key, model in facts.models.items() if model.model_id == name]
    return same[0] if len(same) == 1 else name


def _native(where: Plan, facts: Facts) -> bool:
    models = [facts.models[f"{one.provider_id}/{one.model_id}"] for one in where.attempts]
    return all(model.supports_structured is not False for model in models)


def _request(run: Run, question: Question, *, native: bool) -> GenerateRequest:
    system = question.system
    if question.schema and not native:
        system = f"{system}\n\n{SYSTEM}\n\n{json.dumps(question.schema[1], ensure_ascii=False)}".strip()
    return GenerateRequest(
        "",
        question.messages,
        system=system,
        tools=question.tools,
        tool_choice=question.tool_choice,
        response_schema=question.schema if native else None,
        reasoning_effort=question.reasoning_effort,
        max_output_tokens=question.max_output_tokens,
        temperature=question.temperature,
        end_user=end_user(run),
    )
