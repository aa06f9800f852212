"""The audit in the console: to read, narrow down and export; nobody writes it there."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path

from accounts import audit_export
from accounts.console import WorkspaceAdmin, administered_ids, is_superuser
from accounts.models import AuditEntry, Workspace


class AuditAdmin(WorkspaceAdmin):
    """What happened in the administered workspaces, and the sign-ins of their members; everything for a superuser."""

    workspace_lookup = "workspace_id"
    may_add = may_change = may_delete = False
    actions = None
    list_display = ("at", "action", "who", "target", "workspace", "ip")
    list_filter = ("action",)
    search_fields = ("who", "target", "action")
    date_hierarchy = "at"
    show_full_result_count = False
    ordering = ("-pk",)
    fields = ("at", "action", "who", "target", "workspace", "ip", "data", "chain", "sequence", "digest")
    change_list_template = "admin/audit_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        rows = AuditEntry.objects.order_by(*self.ordering)
        if not is_superuser(request):
            rows = rows.of_workspaces(administered_ids(request))
        name = Workspace.objects.filter(pk=OuterRef("workspace_id")).values("name")[:1]
        return rows.annotate(workspace_name=Subquery(name))

    @admin.display(description="Workspace", empty_value="-")
    def workspace(self, row: Any) -> str | None:
        return row.workspace_name or (str(row.workspace_id) if row.workspace_id else None)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export)
        return [path("export/<str:kind>/", view, name="accounts_auditentry_export"), *super().get_urls()]

    def export(self, request: HttpRequest, kind: str) -> StreamingHttpResponse:
        """What the list shows with the same filters, as a file."""
        rows = self.get_changelist_instance(request).get_queryset(request)
        return audit_export.response(rows, kind)
