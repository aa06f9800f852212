"""People, workspaces, memberships and invitations in the console; `audit_admin` and `identity_admin` have the other
pages."""

from typing import Any, cast
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts import invitations, memberships, proof, recovery
from accounts.audit_admin import AuditAdmin
from accounts.console import WorkspaceAdmin
from accounts.identity_admin import IdentityProviderAdmin
from accounts.models import AuditEntry, IdentityProvider, Invitation, Membership, Role, User, Workspace
from accounts.policies import assignable_roles
from accounts.views.people import origin_of

# Editable credentials, verified addresses and live session keys would let one administrator become anybody.
for closed in (Authenticator, EmailAddress, UserSession, SocialAccount, SocialApp, SocialToken, Group):
    if admin.site.is_registered(closed):
        admin.site.unregister(closed)


@admin.register(User)
class UserAdmin(WorkspaceAdmin):
    """People of an administered workspace. How they sign in can be reset, not chosen; a superuser closes accounts."""

    workspace_lookup = "memberships__workspace"
    may_add = may_delete = False
    actions = None
    list_display = ("email", "name", "is_active", "last_login", "date_joined")
    list_filter = ("is_active",)
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = ("email", "name", "is_active", "last_login", "date_joined")
    readonly_fields = ("email", "name", "last_login", "date_joined")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return cast("User", request.user).is_superuser

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reset)
        return [path("<uuid:pk>/reset/", view, name="accounts_user_reset"), *super().get_urls()]

    def reset(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Says what it means first; the passkey must have been used in the last minutes."""
        person = get_object_or_404(self.get_queryset(request), pk=pk)
        proof.require_recent(request)
        by = cast("User", request.user)
        if request.method == "POST":
            recovery.reset(person, by, origin_of(request))
            messages.success(request, f"The sign-in of {person.email} is reset. A mail says how to come back.")
            return redirect("admin:accounts_user_change", person.pk)
        shown = {"title": "Reset sign-in", "person": person, "refusal": recovery.refusal(by, person)}
        return TemplateResponse(
            request, "admin/accounts/user/reset.html", self.admin_site.each_context(request) | shown
        )


@admin.register(Workspace)
class WorkspacePage(WorkspaceAdmin):
    """Its name, and how long what is made in it is kept."""

    workspace_lookup = "pk"
    may_add = may_delete = False
    actions = None
    list_display = ("name", "members", "content_days", "event_hours", "trace_days", "usage_days", "created_at")
    fieldsets = (
        (None, {"fields": ("name",)}),
        ("Retention", {"fields": ("content_days", "event_hours", "trace_days", "usage_days")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        rows: QuerySet[Workspace] = super().get_queryset(request)
        return rows.annotate(member_count=Count("memberships", distinct=True))

    @admin.display(description="Members", ordering="member_count")
    def members(self, row: Any) -> int:
        return int(row.member_count)


@admin.register(Membership)
class MembershipAdmin(WorkspaceAdmin):
    """Roles. Nobody gives or takes one above their own, and a workspace keeps an owner."""

    may_add = False
    audited_by_flow = True
    actions = None
    list_display = ("user", "workspace", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "workspace")
    search_fields = ("user__email",)
    ordering = ("workspace__name", "user__email")
    fields = ("user", "workspace", "role", "created_at")
    readonly_fields = ("user", "workspace", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def _may_touch(self, request: HttpRequest, row: Model | None) -> bool:
        if not isinstance(row, Membership):
            return True
        return Role(row.role) in self._assignable(request, row) and not memberships.is_last_owner(row)

    def _assignable(self, request: HttpRequest, row: Membership) -> tuple[Role, ...]:
        user = cast("User", request.user)
        if user.is_superuser:
            return tuple(Role)
        own = Membership.objects.filter(user=user, workspace_id=row.workspace_id).first()
        return assignable_roles(Role(own.role)) if own else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        role: Any = form.base_fields.get("role")
        if obj is not None and role is not None:
            role.choices = [(one.value, one.label) for one in self._assignable(request, obj)]
        return form

    def save_model(self, request: Any, obj: Membership, form: Any, change: bool) -> None:
        try:
            memberships.grant(obj.user, obj.workspace, Role(obj.role), by=request.user)
        except memberships.LastOwner:
            self._keep_owner(request)

    def delete_model(self, request: Any, obj: Membership) -> None:
        try:
            memberships.revoke(obj, by=request.user)
        except memberships.LastOwner:
            self._keep_owner(request)

    def _keep_owner(self, request: HttpRequest) -> None:
        messages.error(request, "Nothing was changed: a workspace keeps at least one owner.")


@admin.register(Invitation)
class InvitationAdmin(WorkspaceAdmin):
    """Sent on the page of the workspace, whose mails need its form; to be looked at and taken back here."""

    may_add = may_change = may_delete = False
    actions = ("take_back",)
    list_display = ("email", "role", "state", "workspace", "invited_by", "sent_at", "expires_at")
    list_filter = ("role",)
    list_select_related = ("workspace", "invited_by")
    search_fields = ("email",)
    ordering = ("-sent_at",)
    fields = ("email", "role", "state", "workspace", "invited_by", "sent_at", "expires_at", "accepted_at", "revoked_at")

    @admin.action(description="Take back")
    def take_back(self, request: Any, rows: QuerySet[Invitation]) -> None:
        done = invitations.revoke(rows, by=request.user.pk)
        messages.success(request, f"{done} taken back. The links have stopped working.")


admin.site.register(AuditEntry, AuditAdmin)
admin.site.register(IdentityProvider, IdentityProviderAdmin)
