"""Start and stop runs: the one transaction that acknowledges a message, and the request to end an answer."""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.policies import Actor
from accounts.problems import Problem, not_found
from catalog import naming
from catalog.models import Context
from chat import attachments, journal, limits, outputs, relay, runner, specialists
from chat.flows.titles import placeholder
from chat.ledger import close_now, touch
from chat.models import Conversation, Message, Run
from chat.protocol import MAX_INPUT_CHARS, Command, clean, stopped
from chat.tools import brought, sets


def start(actor: Actor, command: Command) -> Run:
    """Store the message, a placeholder answer and the queued run in one transaction, then wake the runner.

    Raises Problem: 404 not_found, 409 run_active, idempotency_conflict or too_many_files, 413 input_too_long or
    too_many_tools, 422 input_empty, model_not_found, attachment_failed, attachment_elsewhere, tool_not_found,
    invalid_tool or invalid_tool_choice, 429 limit_reached, and what `naming.credential` raises. A refused command
    changes nothing.
    """
    digest = _checked_digest(actor, command)
    try:
        run = once(actor, command.idempotency_key, digest, lambda: _create(actor, command, digest))
    except IntegrityError:
        raise busy(None) from None
    journal.wake([f"conversation:{run.conversation_id}"])
    return run


def once(actor: Actor, key: str, digest: str, create: Callable[[], Run]) -> Run:
    """The queued run that `create` stores, in one transaction, or the one that the same key made before.

    Raises Problem 409 idempotency_conflict, 429 limit_reached, and IntegrityError for what the database refuses
    otherwise.
    """
    if found := earlier(actor, key, digest):
        return found
    try:
        with transaction.atomic():
            run = create()
            limits.admit(actor, run)
    except IntegrityError:
        if found := earlier(actor, key, digest):
            return found
        raise
    runner.wake()
    return run


def _checked_digest(actor: Actor, command: Command) -> str:
    if len(command.text) > MAX_INPUT_CHARS:
        detail = f"A message may have {MAX_INPUT_CHARS:,} characters; this one has {len(command.text):,}."
        raise Problem(413, "input_too_long", "The message is too long.", detail)
    said = command.text.strip() or command.attachments or command.answer_to or command.continues
    if not said:
        raise Problem(422, "input_empty", "The message is empty.", "Write something to send.")
    naming.check(actor, command.model)
    naming.credential(actor, command.credential, command.model)
    brought.check(command.client_tools, command.tool_choice, sets.NAMES)
    return digest_of({**asdict(command), "idempotency_key": ""})


def digest_of(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, default=str, sort_keys=True).encode()).hexdigest()


def earlier(actor: Actor, key: str, digest: str) -> Run | None:
    """The run that the same idempotency key made before. Raises Problem 409 when that was for something else."""
    if not key:
        return None
    run = Run.objects.visible_to(actor).filter(idempotency_key=key).first()
    if run is not None and run.request_digest != digest:
        detail = "Use a new Idempotency-Key for a different request."
        raise Problem(409, "idempotency_conflict", "This key was used for another request.", detail)
    return run


def busy(active: Run | None) -> Problem:
    """The refusal of a second run where one is active."""
    extra = {"run": str(active.pk), "stream_id": str(active.stream_id)} if active else {}
    detail = "Wait for it to end, or stop it; then send again."
    return Problem(409, "run_active", "An answer is still being written here.", detail, **extra)


def _create(actor: Actor, command: Command, digest: str) -> Run:
    conversation = _conversation(actor, command)
    if command.tools is not None:
        conversation.tools = sets.checked(actor, command.tools)
        conversation.save(update_fields=["tools"])
    asked, branch = _asked(actor, conversation, command)
    active = Run.objects.active().filter(conversation=conversation)
    blocking = active.filter(branch=branch).first() or active.filter(answer_id=branch).first()
    if blocking is not None:
        raise busy(blocking)
    if asked._state.adding:  # noqa: SLF001 - Django's own word for "not stored yet"
        asked.save()
    answer = Message.objects.create(conversation=conversation, parent=asked, role=Message.Role.ASSISTANT)
    context = _context(actor, conversation, command)
    choices = {"model": command.model or conversation.model, "context": context}
    if choices != {"model": conversation.model, "context": conversation.context}:
        Conversation.objects.filter(pk=conversation.pk).update(**choices)
    touch(conversation.pk, answer.pk)
    return Run.objects.create(
        stream_id=answer.pk,
        context=context,
        workspace_id=actor.workspace_id,
        user_id=actor.user_id,
        conversation=conversation,
        answer=answer,
        branch=branch,
        requested_model=command.model or conversation.model,
        input=_tools_of(conversation, command)
        | ({"compact": True} if command.compact else {})
        | naming.credential(actor, command.credential, command.model),
        sticky=not command.model,
        idempotency_key=command.idempotency_key,
        request_digest=digest,
    )


def _tools_of(conversation: Conversation, command: Command) -> dict[str, Any]:
    """The tools of this run, as its flow reads them: what is changed in the conversation later is for later runs."""
    specs = [asdict(spec) for spec in command.client_tools]
    theirs = {"client_tools": outputs.storable(specs), "tool_choice": command.tool_choice} if specs else {}
    return {"tools": conversation.tools} | theirs


def _context(actor: Actor, conversation: Conversation, command: Command) -> str:
    context = command.context or conversation.context
    if context == Context.ORCHESTRATION:
        specialists.check_some(actor)
        brought.check_names(command.client_tools, specialists.PREFIX)
    return context


def _conversation(actor: Actor, command: Command) -> Conversation:
    """The visible conversation, locked for this transaction, or a new one."""
    if command.conversation_id is None:
        title = placeholder(command.text)
        return Conversation.objects.create(
            workspace_id=actor.workspace_id, owner_id=actor.user_id, title=title, model=command.model
        )
    visible = Conversation.objects.visible_to(actor).select_for_update()
    conversation = visible.filter(pk=command.conversation_id).first()
    if conversation is None:
        raise not_found()
    return conversation


def _asked(actor: Actor, conversation: Conversation, command: Command) -> tuple[Message, UUID]:
    """The message to answer (unsaved when it is new) and the branch that the run goes on."""
    mine = Message.objects.visible_to(actor).filter(conversation=conversation)
    if wanted := command.continues or command.answer_to:
        role = Message.Role.ASSISTANT if command.continues else Message.Role.USER
        existing = mine.filter(pk=wanted, role=role).first()
        if existing is None:
            raise not_found()
        return existing, existing.pk if command.continues else existing.parent_id or conversation.pk
    edited = _edited(mine, command)
    parent_id = edited.parent_id if edited else _parent(mine, conversation, command)
    text = [{"type": "text", "text": clean(command.text)}] if command.text.strip() else []
    kept = edited.files if edited and command.attachments is None else []
    files = kept or attachments.parts_of(actor, conversation, command.attachments or ())
    new = Message(conversation=conversation, parent_id=parent_id, role=Message.Role.USER, parts=[*text, *files])
    if not conversation.title and files:
        Conversation.objects.filter(pk=conversation.pk).update(title=placeholder(str(files[0]["name"])))
    return new, parent_id or conversation.pk


def _edited(mine: QuerySet[Message], command: Command) -> Message | None:
    """The message that the new one is another version of."""
    if command.edits is None:
        return None
    edited = mine.filter(pk=command.edits, role=Message.Role.USER).first()
    if edited is None:
        raise not_found()
    return edited


def _parent(mine: QuerySet[Message], conversation: Conversation, command: Command) -> UUID | None:
    """What a new message follows; None for the first one."""
    parent_id = command.parent_id or conversation.leaf_id
    if parent_id is not None and not mine.filter(pk=parent_id).exists():
        raise not_found()
    return parent_id


def stop(actor: Actor, stream_id: UUID) -> Run:
    """Ask for the end of a run; whoever writes it closes the upstream within a second. Idempotent."""
    return stop_one(Run.objects.visible_to(actor).filter(stream_id=stream_id))


def stop_one(rows: QuerySet[Run]) -> Run:
    """The same for the run in `rows`, which whoever asks may stop. Raises Problem 404 when there is none."""
    with transaction.atomic():
        run = rows.select_for_update().first()
        if run is None:
            raise not_found()
        if run.state == Run.State.QUEUED:
            data = stopped(provider_id="", model_id="")
            close_now(run, [], "done", data, Run.State.STOPPED)
        elif run.state == Run.State.RUNNING and run.stop_requested_at is None:
            run.stop_requested_at = timezone.now()
            run.save(update_fields=["stop_requested_at"])
    if run.state == Run.State.STOPPED:
        journal.wake([str(run.stream_id)])
    elif run.state == Run.State.RUNNING:
        runner.request_stop(run.pk)
        relay.announce_from_thread([], stop=[run.pk])
    return run


def new_key() -> str:
    """A fresh idempotency key for a form."""
    return uuid.uuid4().hex
