"""What a person changes about a conversation besides its messages: its title, its model, its tools, its end."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.policies import Actor
from accounts.problems import not_found
from catalog import naming
from catalog.models import Context
from chat import runs, specialists
from chat.models import Conversation, Run
from chat.tools import sets

TITLE_CHARS = 200


def get(actor: Actor, pk: UUID) -> Conversation:
    """Raises Problem 404, for a foreign conversation as for a missing one."""
    found = Conversation.objects.visible_to(actor).filter(pk=pk).first()
    if found is None:
        raise not_found()
    return found


def create(actor: Actor, **values: Any) -> Conversation:
    """An empty conversation with a title, a model, tools, a context. Raises Problem 422 for an unknown model or tool,
    or for orchestration without specialists."""
    return _set(actor, Conversation(workspace_id=actor.workspace_id, owner_id=actor.user_id), **values)


def change(actor: Actor, pk: UUID, **values: Any) -> Conversation:
    """Set the title, the model, the tools, the context. A running answer keeps its own. Raises Problem 404, 422."""
    return _set(actor, get(actor, pk), **values)


UNSAID: Any = object()


def _set(
    actor: Actor,
    found: Conversation,
    *,
    title: str | None = None,
    model: str | None = None,
    context: str | None = None,
    tools: Sequence[str] | None = UNSAID,
) -> Conversation:
    """No tools (None) are the usual ones; no title and no model are left as they are."""
    if model is not None:
        naming.check(actor, model)
        found.model = model
    if title is not None:
        found.title = _title(title)
    if context is not None:
        if context == Context.ORCHESTRATION:
            specialists.check_some(actor)
        found.context = context
    if tools is not UNSAID:
        found.tools = None if tools is None else sets.checked(actor, tools)
    fields = ["title", "model", "tools", "context"]
    found.save(update_fields=None if found._state.adding else fields)  # noqa: SLF001 - is it new?
    return found


def delete(actor: Actor, pk: UUID) -> Conversation:
    """Stop what runs and remove the conversation with all its messages. Raises Problem 404."""
    found = get(actor, pk)
    for stream_id in Run.objects.active().filter(conversation=found).values_list("stream_id", flat=True):
        runs.stop(actor, stream_id)
    with transaction.atomic():
        # A run that is still being written gets no further entry between the removal of its entries and its own.
        written = Q(conversation=found) | Q(parent__conversation=found)
        list(Run.objects.select_for_update(of=("self",)).filter(written).order_by("pk").values_list("pk"))
        found.delete()
    return found


def _title(title: str) -> str:
    return " ".join(title.split())[:TITLE_CHARS]
