"""What a person decides about summaries in the place of older messages: to send everything instead, or to go back."""

from uuid import UUID

from django.utils import timezone

from accounts.policies import Actor
from accounts.problems import not_found
from chat import conversations
from chat.compaction import deciding
from chat.history import branch_of
from chat.models import Compaction, Message


def listed(actor: Actor, conversation_id: UUID) -> list[Compaction]:
    """The newest first. Raises Problem 404."""
    found = conversations.get(actor, conversation_id)
    return list(Compaction.objects.visible_to(actor).filter(conversation=found))


def change(actor: Actor, conversation_id: UUID, pk: UUID, *, revoked: bool) -> Compaction:
    """Revoke a compaction, or let it hold again. Idempotent. Raises Problem 404."""
    row = Compaction.objects.visible_to(actor).filter(conversation_id=conversation_id, pk=pk).first()
    if row is None:
        raise not_found()
    if row.holds == revoked:
        row.revoked_at = timezone.now() if revoked else None
        row.save(update_fields=["revoked_at"])
    return row


def send_everything(actor: Actor, conversation_id: UUID, message_id: UUID) -> None:
    """Revoke what stands for the older messages of the branch that ends with this message. Raises Problem 404."""
    mine = Message.objects.visible_to(actor).filter(conversation_id=conversation_id)
    message = mine.filter(pk=message_id).first()
    if message is None:
        raise not_found()
    row = deciding(branch_of(message))
    if row is not None:
        change(actor, conversation_id, row.pk, revoked=True)
