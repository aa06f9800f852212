"""What workspaces choose, in the console: defaults, fallback chains, aliases and rules."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from accounts.console import WorkspaceAdmin, administered_ids
from accounts.problems import Problem
from catalog import naming
from catalog.admin import access
from catalog.admin.models import is_superuser, listed
from catalog.models import ContextDefault, FallbackStep, LanguageModel, ModelAlias, Rule
from providers import registry


class ChoosingAdmin(WorkspaceAdmin):
    """For rows that choose a model for a workspace: one that is listed, for a workspace one administers."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in {"model", "target"}:
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


if TYPE_CHECKING:
    ModelForm = forms.ModelForm[ModelAlias]
else:
    ModelForm = forms.ModelForm


class AliasForm(ModelForm):
    """A name that no model has."""

    def clean_name(self) -> str:
        try:
            return naming.acceptable(self.cleaned_data["name"])
        except Problem as problem:
            raise forms.ValidationError(problem.title) from None


@admin.register(ModelAlias)
class ModelAliasAdmin(ChoosingAdmin):
    """Other names of models: a workspace's for its administrators, the installation's for superusers."""

    form = AliasForm
    list_display = ("name", "target", "reason", "workspace", "created_at")
    list_select_related = ("workspace", "target")
    search_fields = ("name", "reason")
    fields = ("name", "target", "reason", "workspace")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "workspace" and field is not None:
            # Without a workspace it holds everywhere.
            field.required = not is_superuser(request)
        return field


@admin.register(Rule)
class RuleAdmin(WorkspaceAdmin):
    """Deny wins. As soon as one rule allows, what none allows is denied."""

    list_display = (
        "effect",
        "provider_id",
        "model_pattern",
        "context",
        "role",
        "credential_source",
        "workspace",
        "reason",
    )
    list_filter = ("effect", "context", "role")
    list_select_related = ("workspace",)
    fields = list_display

    def get_urls(self) -> list[URLPattern]:
        shown = self.admin_site.admin_view(self.access)
        return [path("access/", shown, name="catalog_rule_access"), *super().get_urls()]

    def access(self, request: HttpRequest) -> HttpResponse:
        """What the rules come to for one member."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        values = self.admin_site.each_context(request) | {"opts": self.opts, "title": "Effective access"}
        return access.page(request, values)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "provider_id":
            return provider_field()
        return super().formfield_for_dbfield(db_field, request, **kwargs)


def provider_field() -> forms.ChoiceField:
    known = [(one.provider_id, one.label) for one in registry.available()]
    return forms.ChoiceField(choices=[("", "Every provider"), *known], required=False, label="Provider")
