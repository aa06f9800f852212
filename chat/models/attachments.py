"""Files that people bring: those that go with a message, and the documents of their library; and their text."""

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from accounts.models import Workspace
from accounts.policies import Actor


def place(attachment: "Attachment", filename: str) -> str:
    """Where a file is stored: a name of our own, whatever the person's file was called."""
    name = uuid.uuid4().hex
    return f"attachments/{name[:2]}/{name}"


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(workspace_id=actor.workspace_id, owner_id=actor.user_id)

    def of_messages(self) -> Self:
        return self.filter(purpose=Attachment.Purpose.MESSAGE)

    def documents(self) -> Self:
        return self.filter(purpose=Attachment.Purpose.DOCUMENT)

    def unsent(self) -> Self:
        return self.filter(purpose=Attachment.Purpose.MESSAGE, sent_at=None)


class Attachment(models.Model):
    """One file of one person. `filename` is what they called it and is only ever shown; `media_type` was read from the
    bytes. `conversation` is the one whose message box holds it or whose message carries it, empty before the first
    message; `sent_at` is None until it goes with a message. A message names its files in its parts.

    `upload_key` is the idempotency key that it came with, empty for none: the same one brings no second file.

    `error` is a stable word and `error_detail` a sentence, both empty unless it failed. `lease_until` is until when the
    process that reads it may be silent.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Waiting"
        PROCESSING = "processing", "Reading"
        READY = "ready", "Ready"
        FAILED = "failed", "Not readable"

    class Purpose(models.TextChoices):
        MESSAGE = "message", "Goes with a message"
        DOCUMENT = "document", "In the library"

    class Kind(models.TextChoices):
        IMAGE = "image", "Image"
        PDF = "pdf", "PDF"
        TEXT = "text", "Text"
        DOCX = "docx", "Word document"
        XLSX = "xlsx", "Spreadsheet"
        PPTX = "pptx", "Slides"

    PENDING: ClassVar[tuple[str, ...]] = (State.UPLOADED, State.PROCESSING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="attachments")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="attachments")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.MESSAGE)
    conversation = models.ForeignKey(
        "Conversation", on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    filename = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=Kind)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    file = models.FileField(upload_to=place, max_length=200)
    preview = models.FileField(upload_to=place, max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.UPLOADED)
    error = models.CharField(max_length=40, blank=True)
    error_detail = models.CharField(max_length=200, blank=True)
    pages_read = models.PositiveIntegerField(default=0)
    page_count = models.PositiveIntegerField(null=True)
    token_estimate = models.PositiveIntegerField(null=True)
    upload_key = models.CharField(max_length=120, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Attachment"]] = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index(fields=["owner", "workspace", "purpose", "-created_at"], name="attachment_list"),
            models.Index(
                fields=["state", "created_at"],
                condition=models.Q(state__in=["uploaded", "processing"]),
                name="attachment_pending",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "owner", "upload_key"], condition=~models.Q(upload_key=""), name="one_upload_a_key"
            )
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def pending(self) -> bool:
        return self.state in self.PENDING

    @property
    def unit(self) -> str:
        """What its pages are called."""
        return {"pdf": "page", "xlsx": "sheet", "pptx": "slide"}.get(self.kind, "part")

    def as_part(self) -> dict[str, object]:
        """How a message names it."""
        return {
            "type": "attachment",
            "id": str(self.pk),
            "name": self.filename,
            "kind": self.kind,
            "media_type": self.media_type,
            "size": self.size,
        }


class AttachmentPage(models.Model):
    """The text of one page, sheet, slide or part; `number` counts from 1."""

    id = models.BigAutoField(primary_key=True)
    attachment = models.ForeignKey(Attachment, on_delete=models.CASCADE, related_name="pages")
    number = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        ordering = ["attachment", "number"]
        constraints = [models.UniqueConstraint(fields=["attachment", "number"], name="one_page_a_number")]

    def __str__(self) -> str:
        return f"{self.number} of {self.attachment_id}"
