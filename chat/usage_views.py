"""The page on which a member sees what they used and what their limits leave."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.actors import actor_of
from chat.limits import standings
from chat.models import UsageEntry
from chat.spending import report


@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    values = {"report": report(UsageEntry.objects.visible_to(actor)), "limits": standings(actor)}
    return render(request, "chat/usage.html", values)
