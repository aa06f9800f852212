"""One run from its plan to its outcome: asks routing where to go, drives the provider, hands events to the journal."""

import base64
import hashlib
import hmac
import logging
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.utils import timezone

from accounts.models import Membership
from accounts.policies import Actor, actor_for
from catalog.facts import facts_for
from catalog.routing import Plan, RoutingRequest, plan
from chat import native, protocol
from chat.database import in_db
from chat.history import messages_for
from chat.journal import Writer
from chat.ledger import Closing
from chat.models import Run
from providers import events
from providers.contract import GenerateRequest
from providers.credentials import aopen_ref
from providers.errors import ErrorCode, ProviderError
from providers.runtime import stream

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a generation ended: exactly one of `finished`, `error`, or `state` STOPPED."""

    state: Run.State
    finished: events.Finished | None = None
    error: ProviderError | None = None

    @classmethod
    def stopped(cls) -> Self:
        return cls(Run.State.STOPPED)

    @classmethod
    def interrupted(cls) -> Self:
        return cls(Run.State.INTERRUPTED)

    def closing(self, run: Run, parts: list[dict[str, Any]]) -> Closing:
        """The terminal event and the rows that go with it."""
        provider_id, _, model_id = run.served_model.partition("/")
        seen = {"first_content_at": run.first_content_at}
        if self.finished is not None:
            data = protocol.done(self.finished, provider_id=provider_id, model_id=model_id)
            row = {"usage": data["usage"], "finish_reason": data["finish_reason"], **seen}
            return Closing("done", data, self.state, parts, native.dump(self.finished.message), row)
        if self.state == Run.State.STOPPED:
            data = protocol.stopped(provider_id=provider_id, model_id=model_id)
            return Closing("done", data, self.state, parts, run={"finish_reason": "stopped", **seen})
        data = protocol.failure(self.error) if self.error else protocol.interrupted(provider_id)
        return Closing("error", data, self.state, parts, run={"error": data, **seen})


async def execute(run: Run, writer: Writer) -> Outcome:
    """Drive one run to its outcome. Cancelling the task closes the upstream socket."""
    try:
        return await _generate(run, writer)
    except ProviderError as error:
        return Outcome(Run.State.FAILED, error=error)
    except Exception:
        # The one broad except of the house: whatever breaks in here, the run must still end with an event.
        logger.exception("run %s failed inside Parley", run.pk)
        ours = "Parley failed while writing this answer. What arrived is kept."
        return Outcome(
            Run.State.FAILED, error=ProviderError(ErrorCode.INTERRUPTED, ours, provider_id=_provider_of(run))
        )


async def _generate(run: Run, writer: Writer) -> Outcome:
    where, request = await in_db(_prepare, run)
    started = {"state": "started", "requested": run.requested_model, "model": run.served_model}
    writer.add("status", started | {"credential": run.credential_source, "hint": run.credential_hint})
    if where.error is not None:
        raise ProviderError(where.error, where.message, provider_id=_provider_of(run))
    async with aclosing(stream(where.attempts, request, aopen_ref)) as received:
        async for event in received:
            if isinstance(event, events.Finished):
                return Outcome(Run.State.DONE, finished=event)
            if run.first_content_at is None and isinstance(event, events.CONTENT_EVENTS):
                run.first_content_at = timezone.now()
            _write(event, writer)
    raise ProviderError(ErrorCode.PROVIDER_UNAVAILABLE, "The stream ended early.", provider_id=_provider_of(run))


def _write(event: events.StreamEvent, writer: Writer) -> None:
    if isinstance(event, events.AttemptChanged) and event.state == "attempt":
        return  # `started` has said it already
    entry = protocol.record(event)
    if entry is not None:
        writer.add(*entry)
    if writer.fold.chars > protocol.MAX_ANSWER_CHARS:
        limit = f"The answer passed {protocol.MAX_ANSWER_CHARS:,} characters and was ended."
        raise ProviderError(ErrorCode.INVALID_REQUEST, limit, provider_id="", detail="answer_too_long", partial=True)


def _provider_of(run: Run) -> str:
    return (run.served_model or run.requested_model).partition("/")[0]


def _prepare(run: Run) -> tuple[Plan, GenerateRequest]:
    """Plan the run and build its request; the choice is stored before anybody is called."""
    actor = _actor(run)
    where = plan(RoutingRequest(context=run.context, requested=run.requested_model), facts_for(actor))
    run.trace = where.trace
    if where.attempts:
        first = where.attempts[0]
        run.served_model = f"{first.provider_id}/{first.model_id}"
        used = next(line for line in where.trace["credentials"] if line["verdict"] == "used")
        run.credential_source, run.credential_hint = used["source"], used["hint"]
    fields = ("trace", "served_model", "credential_source", "credential_hint")
    Run.objects.filter(pk=run.pk).update(**{name: getattr(run, name) for name in fields})
    model_id = where.attempts[0].model_id if where.attempts else ""
    return where, GenerateRequest(model_id, messages_for(run), end_user=_end_user(run))


def _actor(run: Run) -> Actor:
    membership = Membership.objects.filter(user_id=run.user_id, workspace_id=run.workspace_id).first()
    if membership is None:
        ended = "This membership has ended."
        raise ProviderError(ErrorCode.POLICY_DENIED, ended, provider_id=_provider_of(run))
    return actor_for(membership)


def _end_user(run: Run) -> str:
    """An identifier that tells a provider one person from another, and nothing else."""
    seed = f"v1:{run.workspace_id}:{run.user_id}".encode()
    digest = hmac.new(settings.FINGERPRINT_PEPPER.encode(), seed, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()[:43]
