"""Documents of a person's library: kept, summarised, asked about; the bounds of what may be asked, the run queued for
it, and what came of it. How it is answered is `flows.documents`."""

import uuid
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from accounts.policies import Actor
from accounts.problems import Problem, not_found
from catalog import naming
from catalog.models import Context
from chat import attachments, runs
from chat.models import Attachment, AttachmentPage, Run
from chat.protocol import clean

QUESTION_CHARS = 8_000

type Task = Literal["summary", "question"]


@dataclass(frozen=True, slots=True)
class Asking:
    """`question` is empty for a summary; `model` is `provider/model_id` or empty for the default of documents."""

    task: Task
    question: str = ""
    model: str = ""
    idempotency_key: str = ""


def library(actor: Actor) -> QuerySet[Attachment]:
    return Attachment.objects.visible_to(actor).documents().order_by("-created_at")


def add(actor: Actor, uploaded: "UploadedFile[Any]", key: str = "") -> Attachment:
    """Keep a document and have it read. Raises Problem as `attachments.add` does, and for a picture."""
    return attachments.add(actor, uploaded, Attachment.Purpose.DOCUMENT, key=key)


def get(actor: Actor, pk: UUID) -> Attachment:
    """Raises Problem 404, for a foreign document as for a missing one."""
    found = library(actor).filter(pk=pk).first()
    if found is None:
        raise not_found()
    return found


def remove(actor: Actor, pk: UUID) -> Attachment:
    """Stop what runs and remove the document with its text, summaries and answers. Raises Problem 404."""
    found = get(actor, pk)
    for stream_id in found.runs.filter(state__in=Run.ACTIVE).values_list("stream_id", flat=True):
        runs.stop(actor, stream_id)
    found.delete()
    return found


def page_of(actor: Actor, pk: UUID, number: int) -> tuple[Attachment, AttachmentPage]:
    """Raises Problem 404 for a document or a page that is not there."""
    document = get(actor, pk)
    page = document.pages.filter(number=number).first()
    if page is None:
        raise not_found()
    return document, page


# ---------------------------------------------------------------- asking
def start(actor: Actor, pk: UUID, asking: Asking) -> Run:
    """Queue the run. Raises Problem: 404, 409 document_pending or idempotency_conflict, 413 input_too_long, 422
    input_empty, document_unreadable or model_not_found. The same key and body give the same run."""
    document = get(actor, pk)
    _check(actor, document, asking)
    digest = runs.digest_of({**asdict(asking), "idempotency_key": "", "document": pk, "context": Context.DOC})
    return runs.once(actor, asking.idempotency_key, digest, lambda: _create(actor, document, asking, digest))


def _check(actor: Actor, document: Attachment, asking: Asking) -> None:
    if asking.task == "question" and not asking.question.strip():
        raise Problem(422, "input_empty", "The question is empty.", "Write what you want to know.")
    if len(asking.question) > QUESTION_CHARS:
        detail = f"A question may have {QUESTION_CHARS:,} characters; this one has {len(asking.question):,}."
        raise Problem(413, "input_too_long", "The question is too long.", detail)
    naming.check(actor, asking.model)
    if document.pending:
        raise Problem(409, "document_pending", "The document is still being read.", "Try again in a moment.")
    if not readable(document):
        detail = document.error_detail or "No text was found in it. Recognise its text (OCR) and add it again."
        raise Problem(422, "document_unreadable", "The document cannot be read.", detail)


def readable(document: Attachment) -> bool:
    return document.state == Attachment.State.READY and bool(document.token_estimate)


def _create(actor: Actor, document: Attachment, asking: Asking, digest: str) -> Run:
    stream_id = uuid.uuid4()
    return Run.objects.create(
        stream_id=stream_id,
        context=Context.DOC,
        workspace_id=actor.workspace_id,
        user_id=actor.user_id,
        document=document,
        branch=stream_id,
        requested_model=asking.model,
        input={"task": asking.task, "question": clean(asking.question)},
        idempotency_key=asking.idempotency_key,
        request_digest=digest,
    )


def run_of(actor: Actor, pk: UUID, run_id: UUID) -> Run:
    """Raises Problem 404 for a run that is not about this document."""
    found = Run.objects.visible_to(actor).filter(pk=run_id, document=get(actor, pk)).select_related("document").first()
    if found is None:
        raise not_found()
    return found


# ---------------------------------------------------------------- what came of it
def text_of(run: Run) -> str:
    return "".join(part["text"] for part in run.output.get("parts", ()) if part["type"] == "text")
