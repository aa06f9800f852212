"""Asking for the summary of a conversation: the run queued for it, and the newest one there is. How it is written is
`flows.summary`."""

import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet

from accounts.policies import Actor
from accounts.problems import Problem, not_found
from catalog import naming
from catalog.models import Context
from chat import runs
from chat.conversations import get
from chat.models import Conversation, Message, Run

WHAT = "conversation"


@dataclass(frozen=True, slots=True)
class Summary:
    """The newest summary of a conversation. `stale` says that its newest branch has gone on, or elsewhere, since."""

    run: Run
    stale: bool

    @property
    def text(self) -> str:
        """Markdown; what has arrived once the run has ended."""
        return "\n\n".join(part["text"] for part in self.run.output.get("parts", ()) if part["type"] == "text")


def start(actor: Actor, conversation_id: UUID, *, at: UUID | None = None, model: str = "", key: str = "") -> Run:
    """Queue a summary of the branch that ends with the message `at` (None: the newest one). Raises Problem: 404, 409
    run_active or idempotency_conflict, 422 input_empty or model_not_found."""
    conversation = get(actor, conversation_id)
    naming.check(actor, model)
    digest = runs.digest_of({"context": Context.SUMMARY, "conversation": conversation_id, "at": at, "model": model})

    def create() -> Run:
        asked = {"what": WHAT, "upto": str(_upto(actor, conversation, at).pk)}
        return _create(actor, conversation, asked, model=model, key=key, digest=digest)

    try:
        return runs.once(actor, key, digest, create)
    except IntegrityError:
        raise runs.busy(Run.objects.active().filter(branch=_branch(conversation)).first()) from None


def _create(
    actor: Actor, conversation: Conversation, asked: dict[str, Any], *, model: str, key: str, digest: str
) -> Run:
    return Run.objects.create(
        stream_id=uuid.uuid4(),
        context=Context.SUMMARY,
        workspace_id=actor.workspace_id,
        user_id=actor.user_id,
        conversation=conversation,
        branch=_branch(conversation),
        requested_model=model,
        input=asked,
        idempotency_key=key,
        request_digest=digest,
    )


def _branch(conversation: Conversation) -> UUID:
    """One summary at a time is written of a conversation."""
    return uuid.uuid5(conversation.pk, "summary")


def _upto(actor: Actor, conversation: Conversation, at: UUID | None) -> Message:
    wanted = at or conversation.leaf_id
    if wanted is None:
        raise Problem(422, "input_empty", "There is nothing to summarise yet.", "Write a message first.")
    mine = Message.objects.visible_to(actor).filter(conversation=conversation)
    message = mine.select_related("run").filter(pk=wanted).first()
    if message is None:
        raise not_found()
    answering = Run.objects.active().filter(answer=message).first()
    if answering is not None:
        raise runs.busy(answering)
    return message


def runs_of(actor: Actor, conversation: UUID | None) -> QuerySet[Run]:
    """The runs that summarise the conversation as a whole."""
    return Run.objects.visible_to(actor).filter(conversation=conversation, context=Context.SUMMARY, input__what=WHAT)


def latest(actor: Actor, conversation: Conversation) -> Summary | None:
    """One query."""
    run = runs_of(actor, conversation.pk).order_by("-created_at").first()
    return Summary(run, run.input["upto"] != str(conversation.leaf_id)) if run else None
