"""Files on their way in: judged, stored under a name of our own, listed, linked to a message, removed. Reading them is
the workshop's."""

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts.policies import Actor
from accounts.problems import Problem, not_found
from chat import workshop
from chat.models import Attachment, Conversation
from chat.sniffing import shown_name, sniff

MIB = 1024 * 1024
MOST_FILES = 10
Purpose = Attachment.Purpose


def add(
    actor: Actor,
    uploaded: "UploadedFile[Any]",
    purpose: str = Purpose.MESSAGE,
    conversation: UUID | None = None,
    key: str = "",
) -> Attachment:
    """Store a file and have it read, or the same file that the same idempotency key brought before. Raises Problem:
    404, 409 too_many_files or idempotency_conflict, 413 file_too_large or storage_full, 415 unsupported_file, 422
    empty_file or wrong_extension."""
    name = shown_name(uploaded.name or "")
    if conversation is not None and not Conversation.objects.visible_to(actor).filter(pk=conversation).exists():
        raise not_found()
    if (uploaded.size or 0) > settings.ATTACHMENT_BYTES:
        detail = f"A file may have {settings.ATTACHMENT_BYTES // MIB} MB. Split it, or send the part that matters."
        raise Problem(413, "file_too_large", f"“{name}” is too large.", detail)
    data = uploaded.read(settings.ATTACHMENT_BYTES + 1)
    sort = sniff(data, name)
    if purpose == Purpose.DOCUMENT and sort.kind == Attachment.Kind.IMAGE:
        raise Problem(415, "unsupported_file", f"“{name}” is a picture.", "Attach pictures to a message instead.")
    made = Attachment(
        workspace_id=actor.workspace_id,
        owner_id=actor.user_id,
        purpose=purpose,
        conversation_id=conversation,
        filename=name,
        kind=sort.kind,
        media_type=sort.media_type,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        upload_key=key,
    )
    if found := _earlier(made):
        return found
    _check_room(actor, len(data), purpose, conversation)
    return _stored(made, data)


def _stored(made: Attachment, data: bytes) -> Attachment:
    made.file.save("upload", ContentFile(data), save=False)
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        # The same upload, at the same moment, was first.
        made.file.delete(save=False)
        if found := _earlier(made):
            return found
        raise
    workshop.wake()
    return made


def _earlier(made: Attachment) -> Attachment | None:
    """What the same key brought. Raises Problem 409 when that was another file, or one for another place."""
    if not made.upload_key:
        return None
    mine = Attachment.objects.filter(workspace_id=made.workspace_id, owner_id=made.owner_id)
    found = mine.filter(upload_key=made.upload_key).first()
    if found is not None and _what(found) != _what(made):
        detail = "Use a new Idempotency-Key for a different file."
        raise Problem(409, "idempotency_conflict", "This key was used for another file.", detail)
    return found


def _what(file: Attachment) -> tuple[str, str, str]:
    """What makes two uploads the same; a file may have gone into a conversation since."""
    return file.sha256, file.filename, file.purpose


def _check_room(actor: Actor, size: int, purpose: str, conversation: UUID | None) -> None:
    mine = Attachment.objects.visible_to(actor)
    used = mine.aggregate(total=Sum("size"))["total"] or 0
    if used + size > settings.MEMBER_STORAGE_BYTES:
        stored = f"You use {used // MIB} of {settings.MEMBER_STORAGE_BYTES // MIB} MB."
        detail = f"{stored} Delete documents, or conversations with files."
        raise Problem(413, "storage_full", "There is no room for this file.", detail)
    if purpose == Purpose.MESSAGE and mine.unsent().filter(conversation=conversation).count() >= MOST_FILES * 2:
        raise too_many()


def too_many() -> Problem:
    detail = f"A message may carry {MOST_FILES} files. Send some of them with the next one."
    return Problem(409, "too_many_files", "These are too many files.", detail)


def get(actor: Actor, pk: UUID) -> Attachment:
    """Raises Problem 404, for a foreign file as for a missing one."""
    found = Attachment.objects.visible_to(actor).filter(pk=pk).first()
    if found is None:
        raise not_found()
    return found


def drafts(actor: Actor, conversation: UUID | None) -> QuerySet[Attachment]:
    """What the message box of a conversation (None: of a new one) holds, oldest first."""
    return Attachment.objects.visible_to(actor).unsent().filter(conversation=conversation)


def remove(actor: Actor, pk: UUID) -> None:
    """Take away a file that no message carries. Raises Problem 404, 409 attachment_sent."""
    found = get(actor, pk)
    if found.sent_at is not None:
        detail = "It goes when the conversation is deleted."
        raise Problem(409, "attachment_sent", "A message carries this file.", detail)
    found.delete()


# ---------------------------------------------------------------- going with a message
def parts_of(actor: Actor, conversation: Conversation, ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """The parts that name these files in a new message, which from now on belong to the conversation.

    Raises Problem: 404 for what is not there, 409 too_many_files, 422 attachment_failed or attachment_elsewhere.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return []
    if len(wanted) > MOST_FILES:
        raise too_many()
    found = Attachment.objects.visible_to(actor).of_messages().select_for_update().in_bulk(wanted)
    if len(found) < len(wanted):
        raise not_found()
    files = [found[pk] for pk in wanted]
    for each in files:
        _check_usable(each, conversation)
    fresh = [each.pk for each in files if each.sent_at is None]
    Attachment.objects.filter(pk__in=fresh).update(conversation=conversation, sent_at=timezone.now())
    return [each.as_part() for each in files]


def _check_usable(each: Attachment, conversation: Conversation) -> None:
    if each.sent_at is not None and each.conversation_id != conversation.pk:
        detail = "It belongs to another conversation. Attach it again here."
        raise Problem(422, "attachment_elsewhere", f"“{each.filename}” is used elsewhere.", detail)
    if each.state == Attachment.State.FAILED:
        raise Problem(422, "attachment_failed", f"“{each.filename}” cannot be read.", each.error_detail)
