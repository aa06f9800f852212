"""Runs in the console: who asked which model, whose credential answered, and why; never what was said."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.console import WorkspaceAdmin
from chat import runs, traced
from chat.models import Run
from providers.registry import providers

SOURCES = (
    ("request", "named by the request"),
    ("own", "the member's own"),
    ("workspace", "the workspace's"),
    ("environment", "the installation's"),
    ("sandbox", "the sandbox"),
)
STOPPED_AT_ONCE = 50
# What OpenAI's clients know a run of ours by.
GATEWAY_IDS = ("chatcmpl-", "resp_")


class ProviderFilter(admin.SimpleListFilter):
    """Whose model answered."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.provider_id, one.label) for one in providers().values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(served_model__startswith=f"{self.value()}/") if self.value() else queryset


class SourceFilter(admin.SimpleListFilter):
    """Whose credential answered."""

    title = "credential"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, str], ...]:
        return SOURCES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        return queryset.filter(credential_source=self.value()) if self.value() else queryset


@admin.register(Run)
class RunAdmin(WorkspaceAdmin):
    """Nobody writes here; an administrator can stop what runs."""

    may_add = may_change = may_delete = False
    list_display = ("created_at", "outcome", "member", "context", "requested_model", "served_model", "credential")
    list_filter = ("state", "context", ProviderFilter, SourceFilter)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")
    show_full_result_count = False
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = ()
    actions = ("stop",)
    change_form_template = "admin/chat/run/trace.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Without what was asked and answered."""
        return super().get_queryset(request).defer("input", "output")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        for prefix in GATEWAY_IDS:
            search_term = search_term.strip().removeprefix(prefix)
        try:
            wanted = UUID(search_term)
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(pk=wanted) | Q(stream_id=wanted)), False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        run = self.get_object(request, object_id)
        if run is not None:
            context = kwargs.pop("extra_context", None) or {}
            told = {"trace": traced.trace_of(run), "credential": traced.phrase(run), "failure": traced.failure(run)}
            kwargs["extra_context"] = context | told
        response: HttpResponse = super().change_view(request, object_id, *args, **kwargs)
        return response

    @admin.display(ordering="user__email")
    def member(self, run: Run) -> str:
        return str(run.user)

    @admin.display(ordering="credential_source")
    def credential(self, run: Run) -> str:
        return traced.phrase(run)

    @admin.display(ordering="state")
    def outcome(self, run: Run) -> str:
        return traced.outcome(run)

    @admin.action(description="Stop", permissions=["view"])
    def stop(self, request: HttpRequest, rows: QuerySet[Run]) -> None:
        going = list(rows.filter(state__in=Run.ACTIVE).values_list("pk", flat=True)[:STOPPED_AT_ONCE])
        for pk in going:
            runs.stop_one(Run.objects.filter(pk=pk))
        messages.success(request, f"Asked {len(going)} run{'' if len(going) == 1 else 's'} to end.")
