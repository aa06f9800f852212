"""Workspace keys in the console: entered, replaced, checked and removed; what was entered is never shown. The
providers' health and the drills have modules of their own."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from accounts.console import WorkspaceAdmin
from providers import console_drills, console_health, credentials, registry
from providers.console_parts import check_and_tell
from providers.credentials import descriptor_of
from providers.forms import CredentialForm
from providers.models import Credential, CredentialQuerySet
from providers.preferences import CredentialPolicy

__all__ = ["CredentialAdmin", "console_drills", "console_health"]

CHECKED_AT_ONCE = 10


@admin.register(CredentialPolicy)
class CredentialPolicyAdmin(WorkspaceAdmin):
    list_display = ("workspace", "references")
    list_select_related = ("workspace",)
    ordering = ("workspace__name",)

    def get_readonly_fields(self, request: HttpRequest, obj: CredentialPolicy | None = None) -> tuple[str, ...]:
        return () if obj is None else ("workspace",)


@admin.register(Credential)
class CredentialAdmin(WorkspaceAdmin):
    form = CredentialForm
    audited_by_flow = True
    list_display = (
        "provider", "workspace", "owner", "hint", "account", "preferred", "state_now", "expires_at", "checked_at",
        "latency",
    )  # fmt: skip
    list_filter = ("provider_id", "kind", "state")
    list_select_related = ("workspace", "user")
    ordering = ("workspace__name", "provider_id")
    actions = ("check_now",)
    readonly_fields = (
        "hint", "fingerprint", "kind", "method", "account", "preferred", "expires_at", "state_now", "error_code",
        "checked_at", "latency_ms", "updated_at",
    )  # fmt: skip

    @admin.display(description="Provider", ordering="provider_id")
    def provider(self, row: Credential) -> str:
        known = registry.providers().get(row.provider_id)
        return known.label if known else row.provider_id

    @admin.display(description="Whose")
    def owner(self, row: Credential) -> str:
        thing = "session" if row.kind == Credential.Kind.SESSION else "key"
        return f"Workspace {thing}" if row.user_id is None else f"Own {thing} of {row.user}"

    @admin.display(description="Preferred")
    def preferred(self, row: Credential) -> str:
        """What its owner's requests go out with first."""
        words = dict(Credential.Kind.choices)[descriptor_of(row).mode]
        return f"{words}, a key may stand in" if descriptor_of(row).fallback_allowed else str(words)

    @admin.display(description="State", ordering="state")
    def state_now(self, row: Credential) -> str:
        """A pasted session may have ended since anybody looked."""
        return str(Credential.State(descriptor_of(row).state).label)

    @admin.display(description="Latency")
    def latency(self, row: Credential) -> str:
        return "" if row.latency_ms is None else f"{row.latency_ms} ms"

    @admin.action(description="Check now", permissions=["change"])
    def check_now(self, request: HttpRequest, rows: QuerySet[Credential]) -> None:
        for row in rows[:CHECKED_AT_ONCE]:
            self._check(request, row)

    # ------------------------------------------------------------ whose rows
    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        """A member's own key is that member's business; a superuser sees that it exists."""
        rows: CredentialQuerySet = super().get_queryset(request)  # type: ignore[assignment]
        rows = rows.with_mode()
        return rows if getattr(request.user, "is_superuser", False) else rows.filter(user__isnull=True)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A session is entered in the settings, where its owner also says what stands in for it."""
        only_seen = isinstance(obj, Credential) and (obj.user_id is not None or obj.kind == Credential.Kind.SESSION)
        return super().has_change_permission(request, obj) and not only_seen

    # ------------------------------------------------------------ entering
    def get_fields(self, request: HttpRequest, obj: Credential | None = None) -> Any:
        entered = ["workspace", "provider_id", "label", "base_url", "key"]
        return entered if obj is None else [*entered, *self.readonly_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Credential | None = None) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else ("workspace", "provider_id", *self.readonly_fields)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Credential:
        """Stored here, because the row that is kept may be one that was there before."""
        super().save_form(request, form, change)
        row: Credential = form.keep(request.user.pk)
        return row

    def save_model(self, request: HttpRequest, obj: Credential, form: Any, change: bool) -> None:
        """What is left is the check, once the transaction is over."""
        request.credential_to_check = obj  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: Credential) -> None:
        credentials.forget(obj, by=request.user.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        for row in queryset:
            credentials.forget(row, by=request.user.pk)

    @method_decorator(sensitive_post_parameters("key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """No database transaction is held open while a provider is asked."""
        response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        saved: Credential | None = getattr(request, "credential_to_check", None)
        if saved is not None:
            self._check(request, saved)
        return response

    def _check(self, request: HttpRequest, row: Credential) -> None:
        check_and_tell(request, f"credential:{row.pk}", self.provider(row))
