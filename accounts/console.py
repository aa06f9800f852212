"""The base of every console page: an administrator of a workspace sees and changes that workspace's rows only.

Django's own permission rows play no part; what a person may do follows from their memberships.
"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import Role, User, Workspace

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


def administered(user: Any) -> QuerySet[Workspace]:
    """The workspaces whose rows `user` may see in the console: those they administer; all for a superuser."""
    if not (isinstance(user, User) and user.is_active):
        return Workspace.objects.none()
    if user.is_superuser:
        return Workspace.objects.all()
    roles = [Role.OWNER, Role.ADMIN]
    return Workspace.objects.filter(memberships__user=user, memberships__role__in=roles)


def administered_ids(request: HttpRequest) -> frozenset[UUID]:
    """The ids of `administered`, read once a request."""
    if not hasattr(request, "administered_ids"):
        found = frozenset(administered(request.user).values_list("pk", flat=True))
        request.administered_ids = found  # type: ignore[attr-defined]
    ids: frozenset[UUID] = request.administered_ids  # type: ignore[attr-defined]
    return ids


class WorkspaceAdmin(ModelAdmin):
    """Subclass for a model with a way to its workspace; `workspace_lookup` is that way, as a query writes it.

    `may_add`, `may_change` and `may_delete` close a verb for everybody. Choices of a workspace, and of a person, are
    limited to what the administrator sees, so a forged form cannot reach further than an honest one.
    """

    workspace_lookup = "workspace"
    may_add = may_change = may_delete = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        user = request.user
        if isinstance(user, User) and user.is_superuser:
            return rows
        own = rows.filter(**{f"{self.workspace_lookup}__in": administered_ids(request)})
        return rows.filter(pk__in=own.order_by().values("pk"))  # each row once, and still deletable

    def sees(self, request: HttpRequest, row: Model | None) -> bool:
        """Whether `row` is of an administered workspace; without a row, whether there is any such workspace."""
        if row is None:
            return bool(administered_ids(request)) or bool(getattr(request.user, "is_superuser", False))
        return self.get_queryset(request).filter(pk=row.pk).exists()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.sees(request, None)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.sees(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and self.sees(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_change and self.sees(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_delete and self.sees(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is Workspace:
            kwargs["queryset"] = administered(request.user)
        elif db_field.related_model is User:
            kwargs["queryset"] = User.objects.filter(memberships__workspace__in=administered_ids(request)).distinct()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
