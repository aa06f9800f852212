"""Files as responses: to be saved, never to be shown as a page; the small copy of a picture alone may be an image."""

from django.db.models.fields.files import FieldFile
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from accounts.problems import not_found
from chat.models import Attachment

# Should a browser show it all the same, it is a page without rights and without an origin.
CLOSED = "sandbox; default-src 'none'"


def download(attachment: Attachment) -> HttpResponse:
    """Raises Problem 404 when the file is gone."""
    response = _served(attachment.file, attachment.media_type)
    response["Content-Disposition"] = content_disposition_header(True, attachment.filename) or "attachment"
    return response


def preview(attachment: Attachment) -> HttpResponse:
    """The small copy of a picture, drawn by us. Raises Problem 404 for anything else."""
    if not attachment.preview:
        raise not_found()
    response = _served(attachment.preview, attachment.media_type)
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


def _served(stored: FieldFile, media_type: str) -> HttpResponse:
    try:
        with stored.open("rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise not_found() from None
    response = HttpResponse(content, content_type=media_type)
    response["Content-Security-Policy"] = CLOSED
    response["X-Content-Type-Options"] = "nosniff"
    return response
