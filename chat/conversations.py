"""What a person changes about a conversation besides its messages: its title, its model, its end."""

from uuid import UUID

from accounts.policies import Actor
from accounts.problems import Problem, not_found
from catalog.models import LanguageModel
from chat import runs
from chat.models import Conversation, Run

TITLE_CHARS = 200


def get(actor: Actor, pk: UUID) -> Conversation:
    """Raises Problem 404, for a foreign conversation as for a missing one."""
    found = Conversation.objects.visible_to(actor).filter(pk=pk).first()
    if found is None:
        raise not_found()
    return found


def create(actor: Actor, *, title: str = "", model: str = "") -> Conversation:
    """An empty conversation. Raises Problem 422 for an unknown model."""
    _check_model(model)
    return Conversation.objects.create(
        workspace_id=actor.workspace_id, owner_id=actor.user_id, title=_title(title), model=model
    )


def change(actor: Actor, pk: UUID, *, title: str | None = None, model: str | None = None) -> Conversation:
    """Set what is not None. A running answer keeps its model. Raises Problem 404, 422."""
    found = get(actor, pk)
    if model is not None:
        _check_model(model)
        found.model = model
    if title is not None:
        found.title = _title(title)
    found.save(update_fields=["title", "model"])
    return found


def delete(actor: Actor, pk: UUID) -> Conversation:
    """Stop what runs and remove the conversation with all its messages. Raises Problem 404."""
    found = get(actor, pk)
    for stream_id in Run.objects.active().filter(conversation=found).values_list("stream_id", flat=True):
        runs.stop(actor, stream_id)
    found.delete()
    return found


def _title(title: str) -> str:
    return " ".join(title.split())[:TITLE_CHARS]


def _check_model(key: str) -> None:
    provider_id, _, model_id = key.partition("/")
    if key and not LanguageModel.objects.filter(provider_id=provider_id, model_id=model_id).exists():
        detail = "Choose one of the models that /api/v1/models/ lists."
        raise Problem(422, "model_not_found", "There is no such model.", detail, model=key[:201])
