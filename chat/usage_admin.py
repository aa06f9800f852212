"""What the members of administered workspaces used, in the console: one page, drawn on the server."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.console import WorkspaceAdmin, administered
from chat.models import UsageEntry
from chat.spending import report


@admin.register(UsageEntry)
class UsageAdmin(WorkspaceAdmin):
    """Nobody writes here; what was said is not shown, only how much."""

    may_add = may_change = may_delete = False
    actions = None
    fields = readonly_fields = (
        "workspace", "user", "at", "context", "model", "credential_source", "requests", "answered", "input_tokens",
        "cached_input_tokens", "output_tokens", "reasoning_tokens",
    )  # fmt: skip

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The last 30 days of all administered workspaces, or of the one that `?in=` names."""
        if not self.has_view_permission(request):
            raise Http404
        places = list(administered(request.user).order_by("name", "pk"))
        place = next((one for one in places if str(one.pk) == request.GET.get("in")), None)
        rows = UsageEntry.objects.filter(workspace__in=[place] if place else places)
        values = {"report": report(rows), "places": places, "place": place, "opts": self.opts, "title": "Usage"}
        values |= self.admin_site.each_context(request) | (extra_context or {})
        return TemplateResponse(request, "admin/chat/usageentry/change_list.html", values)
