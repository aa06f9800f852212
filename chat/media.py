"""What a model is shown of the files that messages carry: their bytes where a request has room, else their text. Reads
files, so it is for threads."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from catalog.models import LanguageModel
from catalog.routing import Plan
from chat.models import Attachment, Message, Run
from providers.contract import MediaPart, Part, TextPart
from providers.errors import ErrorCode, ProviderError

# The tightest of the vendors takes 20 MB a request, and base64 makes four bytes of three.
MOST_BYTES = 14 * 1024 * 1024
MOST_PICTURES = 20
VISION = frozenset({"vision"})
Kind = Attachment.Kind
State = Attachment.State

type Shown = dict[UUID, tuple[Part, ...]]


def asked_files(run: Run) -> list[dict[str, Any]]:
    """The parts of the message that is answered which name a file."""
    asked = run.answer.parent if run.answer is not None else None
    return asked.files if asked is not None and asked.role == Message.Role.USER else []


def needs(run: Run) -> frozenset[str]:
    """Pictures in the message that is answered need a model that sees; older ones are left out for another."""
    return VISION if any(part["kind"] == Kind.IMAGE for part in asked_files(run)) else frozenset()


def pending(run: Run) -> int:
    """How many files of the message that is answered are still being read."""
    ids = [part["id"] for part in asked_files(run)]
    return Attachment.objects.filter(pk__in=ids, state__in=Attachment.PENDING).count() if ids else 0


def parts_of(branch: Sequence[Message], where: Plan) -> Shown:
    """For every message of the branch that carries files, what is shown of them, by the message's id.

    The newest message's files come first and must fit; older ones give way. Raises ProviderError `invalid_request` or
    `context_too_long` with a detail that begins with `attachments_`.
    """
    carrying = [message for message in branch if message.files]
    if not carrying:
        return {}
    ids = [part["id"] for message in carrying for part in message.files]
    found = Attachment.objects.filter(pk__in=ids, conversation_id=carrying[0].conversation_id)
    rows = {str(row.pk): row for row in found}
    room = _Room(where)
    shown: Shown = {}
    for message in reversed(carrying):
        newest = message is branch[-1]
        files = [(part, rows.get(str(part["id"]))) for part in message.files]
        if newest:
            room.check([row for _, row in files if row is not None])
        shown[message.pk] = tuple(room.part(part, row, newest=newest) for part, row in files)
    return shown


class _Room:
    """How much of one request is still free for files."""

    def __init__(self, where: Plan) -> None:
        self._provider = where.attempts[0].provider_id if where.attempts else ""
        models = [_model(attempt.provider_id, attempt.model_id) for attempt in where.attempts]
        self._sees = all(model is not None and model.supports_vision for model in models)
        self._window = min((model.context_window for model in models if model and model.context_window), default=None)
        self._bytes = MOST_BYTES
        self._pictures = MOST_PICTURES

    def check(self, files: Sequence[Attachment]) -> None:
        """What the newest message carries must be readable, and fit."""
        for each in files:
            if each.state != State.READY:
                why = each.error_detail or "It could not be read in time. Attach it again."
                raise self._refusal(ErrorCode.INVALID_REQUEST, f"“{each.filename}” cannot be read. {why}", "unread")
        pictures = [each for each in files if each.kind == Kind.IMAGE]
        if sum(each.size for each in pictures) > MOST_BYTES:
            size = f"The pictures have more than the {MOST_BYTES // 1024**2} MB that one request may carry."
            raise self._refusal(ErrorCode.INVALID_REQUEST, f"{size} Send fewer, or smaller ones.", "too_large")
        length = sum(each.token_estimate or 0 for each in files)
        if self._window and length > self._window:
            said = f"The files hold about {length:,} tokens; this model reads {self._window:,} at once."
            raise self._refusal(ErrorCode.CONTEXT_TOO_LONG, f"{said} Put long ones under Documents.", "too_long")

    def _refusal(self, code: ErrorCode, message: str, why: str) -> ProviderError:
        return ProviderError(code, message, provider_id=self._provider, detail=f"attachments_{why}")

    def part(self, named: dict[str, Any], row: Attachment | None, *, newest: bool) -> Part:
        name = str(named["name"])
        if row is None or row.state != State.READY:
            return TextPart(text=f"[The file “{name}” is not there any more.]")
        if row.kind == Kind.IMAGE:
            if (not self._sees and not newest) or not self._takes(row, picture=True):
                return TextPart(text=f"[The picture “{name}” was attached here and is not shown again.]")
            return MediaPart(media_type=row.media_type, data=_bytes(row), filename=name)
        text = text_of(row)
        if row.kind == Kind.PDF and self._takes(row, picture=False):
            return MediaPart(media_type=row.media_type, data=_bytes(row), filename=name, text=text)
        # No vendor takes these as they are, or there is no room: their words are sent.
        return MediaPart(media_type="text/plain", data=b"", filename=name, text=text or "(no readable text)")

    def _takes(self, row: Attachment, *, picture: bool) -> bool:
        if row.size > self._bytes or (picture and not self._pictures):
            return False
        self._bytes -= row.size
        self._pictures -= picture
        return True


def _model(provider_id: str, model_id: str) -> LanguageModel | None:
    return LanguageModel.objects.filter(provider_id=provider_id, model_id=model_id).first()


def _bytes(row: Attachment) -> bytes:
    try:
        with row.file.open("rb") as file:
            data: bytes = file.read()
    except FileNotFoundError:
        said = f"“{row.filename}” is not stored here any more. Attach it again."
        raise ProviderError(ErrorCode.INVALID_REQUEST, said, provider_id="", detail="attachments_unread") from None
    return data


def text_of(row: Attachment) -> str:
    """The text of a file with its pages marked, empty when nothing could be read."""
    pages = list(row.pages.values_list("number", "text"))
    if not any(text.strip() for _, text in pages):
        return ""
    if len(pages) == 1:
        return str(pages[0][1])
    return "\n\n".join(f"[p. {number}]\n{text}" for number, text in pages)
