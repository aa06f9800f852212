"""Identity providers in the console: a workspace's own by its administrators, the installation's by superusers."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from accounts.console import WorkspaceAdmin, is_superuser
from accounts.identity_forms import IdentityProviderForm
from accounts.models import IdentityProvider

ENTERED = (
    "preset", "name", "slug", "workspace", "issuer", "client_id", "new_secret", "token_auth", "scopes",
    "fetch_userinfo", "sign_up", "listed_domains", "claim_roles", "listed", "enabled",
)  # fmt: skip


class IdentityProviderAdmin(WorkspaceAdmin):
    form = IdentityProviderForm
    list_display = ("name", "workspace", "host", "sign_up", "people", "enabled")
    list_filter = ("enabled", "sign_up")
    list_select_related = ("workspace",)
    ordering = ("name",)
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[IdentityProvider]:
        accounts = SocialAccount.objects.filter(provider=OuterRef("slug")).order_by().values("provider")
        rows: QuerySet[IdentityProvider] = super().get_queryset(request)
        return rows.annotate(account_count=Subquery(accounts.annotate(count=Count("pk")).values("count")))

    @admin.display(description="Linked accounts", ordering="account_count")
    def people(self, row: Any) -> int:
        return int(row.account_count or 0)

    @admin.display(description="Address to register at the issuer")
    def callback(self, row: IdentityProvider) -> str:
        return f"{settings.PUBLIC_URL}{reverse('openid_connect_callback', args=[row.slug])}"

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ENTERED if obj is None else (*ENTERED, "strand", "hint", "callback", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return () if obj is None else ("slug", "workspace", "hint", "callback", "updated_at")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        place = form.base_fields.get("workspace")
        if place is not None:
            place.required = not is_superuser(request)
        return form

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A name that accounts are found by must not become free for somebody else."""
        used = isinstance(obj, IdentityProvider) and obj.accounts().exists()
        return super().has_delete_permission(request, obj) and not used

    @method_decorator(sensitive_post_parameters("new_secret"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        return response
