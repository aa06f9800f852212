"""MCP servers in the console, entered, asked for their tools, removed; the token that was entered is never shown. And
the specialists of a workspace."""

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from accounts.console import WorkspaceAdmin, administered_ids
from catalog.admin.choosing import ChoosingAdmin
from chat import specialists
from chat.mcp_forms import McpServerForm
from chat.models import McpServer, Specialist
from chat.runs_admin import RunAdmin
from chat.specialist_forms import SpecialistForm
from chat.tools import servers
from chat.usage_admin import UsageAdmin

__all__ = ["McpServerAdmin", "RunAdmin", "SpecialistAdmin", "UsageAdmin"]

ASKED_AT_ONCE = 5
NAMES_SHOWN = 30


@admin.register(McpServer)
class McpServerAdmin(WorkspaceAdmin):
    form = McpServerForm
    list_display = ("name", "workspace", "url", "hint", "enabled")
    list_filter = ("enabled",)
    list_select_related = ("workspace",)
    ordering = ("workspace__name", "name")
    actions = ("ask",)
    readonly_fields = ("hint",)
    fields = ("workspace", "name", "url", "token", "hint", "names", "seconds", "enabled")

    @admin.action(description="Connect and list tools", permissions=["change"])
    def ask(self, request: HttpRequest, rows: QuerySet[McpServer]) -> None:
        for row in rows[:ASKED_AT_ONCE]:
            self._ask(request, row)

    def get_readonly_fields(self, request: HttpRequest, obj: McpServer | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else ("workspace", *self.readonly_fields)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> McpServer:
        workspace_id = form.instance.workspace_id or form.cleaned_data["workspace"].pk
        if not getattr(request.user, "is_superuser", False) and workspace_id not in administered_ids(request):
            raise PermissionDenied
        super().save_form(request, form, change)
        row: McpServer = form.keep()
        return row

    def save_model(self, request: HttpRequest, obj: McpServer, form: Any, change: bool) -> None:
        """What is left is the question, once the transaction is over."""
        request.server_to_ask = obj  # type: ignore[attr-defined]

    @method_decorator(sensitive_post_parameters("token"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """No database transaction is held open while a server is asked."""
        response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        saved: McpServer | None = getattr(request, "server_to_ask", None)
        if saved is not None and saved.enabled:
            self._ask(request, saved)
        return response

    def _ask(self, request: HttpRequest, row: McpServer) -> None:
        listing = async_to_sync(servers.listed)(servers.opened(row))
        if listing.error:
            messages.error(request, f"{row.name}: {listing.error}")
            return
        names = [spec.name for spec in listing.specs]
        shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
        messages.success(request, f"{row.name} offers {len(names)} tools{': ' if names else ''}{shown}.")
        for name in [name for name in row.allowed if name not in names]:
            messages.warning(request, f"{row.name} has no tool called {name}, which is allowed.")
        for name, reason in listing.refused:
            messages.warning(request, f"{row.name}: {name} cannot be used. {reason}")


@admin.register(Specialist)
class SpecialistAdmin(ChoosingAdmin):
    """Whom an orchestrator of the workspace can delegate to. A task goes to the specialist's own model, under the same
    rules as any request."""

    form = SpecialistForm
    list_display = ("name", "slug", "model", "enabled", "order", "workspace")
    list_filter = ("enabled",)
    list_select_related = ("workspace", "model")
    search_fields = ("name", "description")
    ordering = ("workspace", "order", "name")

    def get_urls(self) -> list[Any]:
        add = self.admin_site.admin_view(self.add_examples)
        return [path("examples/", add, name="chat_specialist_examples"), *super().get_urls()]

    def add_examples(self, request: HttpRequest) -> HttpResponse:
        """Three specialists to begin with, for every workspace of this administrator that has none of them."""
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        added = sum(specialists.add_examples(workspace_id) for workspace_id in administered_ids(request))
        words = f"Added {added} specialists." if added else "The examples are there already."
        messages.success(request, words)
        return redirect("admin:chat_specialist_changelist")
