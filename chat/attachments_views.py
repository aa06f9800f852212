"""Files of the pages: to save, to look at small, to take out of the message box without script."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from accounts.actors import actor_of
from chat import attachments, serving


@require_GET
def download(request: HttpRequest, pk: UUID) -> HttpResponse:
    return serving.download(attachments.get(actor_of(request), pk))


@require_GET
def preview(request: HttpRequest, pk: UUID) -> HttpResponse:
    return serving.preview(attachments.get(actor_of(request), pk))


@require_POST
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    actor = actor_of(request)
    found = attachments.get(actor, pk)
    attachments.remove(actor, pk)
    return redirect("chat:conversation", found.conversation_id) if found.conversation_id else redirect("chat:new")
