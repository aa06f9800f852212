"""The catalog in the console: models to look at, defaults and fallbacks to choose."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.console import WorkspaceAdmin, administered_ids
from catalog.models import ContextDefault, FallbackStep, LanguageModel


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def listed(request: HttpRequest) -> QuerySet[LanguageModel]:
    """Names that only somebody's stored key lists are for superusers."""
    rows = LanguageModel.objects.all()
    return rows if is_superuser(request) else rows.filter(shared=True)


@admin.register(LanguageModel)
class LanguageModelAdmin(WorkspaceAdmin):
    """What the providers list; nobody edits it by hand."""

    may_add = may_change = may_delete = False
    list_display = (
        "label",
        "key",
        "provider_id",
        "lifecycle",
        "context_window",
        "supports_tools",
        "supports_vision",
        "supports_reasoning",
        "sandbox",
        "last_seen_at",
    )
    list_filter = ("provider_id", "lifecycle", "sandbox", "supports_tools", "supports_vision", "supports_reasoning")
    search_fields = ("model_id", "label")
    ordering = ("provider_id", "label")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LanguageModel]:
        return listed(request).order_by(*self.ordering)


class ChoosingAdmin(WorkspaceAdmin):
    """For rows that choose a model for a workspace: one that is listed, for a workspace one administers."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "model":
            kwargs["queryset"] = listed(request).exclude(lifecycle=LanguageModel.Lifecycle.VANISHED)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not is_superuser(request) and obj.workspace_id not in administered_ids(request):
            raise PermissionDenied
        super().save_model(request, obj, form, change)


@admin.register(ContextDefault)
class ContextDefaultAdmin(ChoosingAdmin):
    """A workspace's defaults for its administrators; the installation's for superusers. What members chose for
    themselves is theirs and not listed."""

    list_display = ("context", "workspace", "model")
    list_filter = ("context",)
    list_select_related = ("workspace", "model")
    fields = ("context", "workspace", "model")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContextDefault]:
        return super().get_queryset(request).filter(user__isnull=True)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "workspace" and field is not None:
            # Without a workspace it is the installation's default.
            field.required = not is_superuser(request)
        return field


@admin.register(FallbackStep)
class FallbackStepAdmin(ChoosingAdmin):
    """A workspace's fallback chains: without a row that is enabled, nothing ever falls back."""

    list_display = ("model", "context", "order", "enabled", "workspace")
    list_filter = ("context", "enabled")
    list_select_related = ("workspace", "model")
    fields = ("workspace", "context", "order", "model", "enabled")
    ordering = ("workspace", "context", "order")
