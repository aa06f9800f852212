"""The limits of workspaces in the console."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.console import WorkspaceAdmin
from accounts.models import Membership
from catalog.admin.choosing import provider_field
from catalog.models import Limit

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Limit]
else:
    ModelForm = forms.ModelForm


class LimitForm(ModelForm):
    """A member of the very workspace that the limit is for."""

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        user, workspace = found.get("user"), found.get("workspace")
        if user and workspace and not Membership.objects.filter(workspace=workspace, user=user).exists():
            self.add_error("user", "This person is not a member of the workspace.")
        return found


@admin.register(Limit)
class LimitAdmin(WorkspaceAdmin):
    """What each member, or one of them, may use in an hour, a day or a month. Beyond the hard limit nothing starts."""

    form = LimitForm
    list_display = ("measure", "period", "soft", "hard", "user", "provider_id", "model_pattern", "workspace")
    list_filter = ("measure", "period")
    list_select_related = ("workspace", "user")
    fields = ("workspace", "user", "provider_id", "model_pattern", "measure", "period", "soft", "hard")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "provider_id":
            return provider_field()
        return super().formfield_for_dbfield(db_field, request, **kwargs)
