"""The base of every console page: an administrator of a workspace sees and changes that workspace's rows only, and
what they change is in the audit.

Django's own permission rows play no part; what a person may do follows from their memberships.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts import audit
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


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


class WorkspaceFilter(admin.SimpleListFilter):
    """One of the workspaces that the reader administers; absent with a single one."""

    title = "workspace"
    parameter_name = "in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = administered(request.user).order_by("name").values_list("pk", "name")
        found = [(str(pk), name) for pk, name in rows]
        return found if len(found) > 1 else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value()
        if not wanted:
            return queryset
        return queryset.filter(pk__in=_of_workspaces(self.page, queryset, [UUID(wanted)]).order_by().values("pk"))

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.page = model_admin
        super().__init__(request, params, model, model_admin)


def _of_workspaces(page: "WorkspaceAdmin", rows: QuerySet[Any], ids: Collection[UUID]) -> QuerySet[Any]:
    return rows.filter(**{f"{page.workspace_lookup}__in": ids})


class WorkspaceAdmin(ModelAdmin):
    """Subclass for a model with a way to its workspace; `workspace_lookup` is that way, as a query writes it. For rows
    of the whole installation it is None, and `get_queryset` says who sees them.

    `may_add`, `may_change` and `may_delete` close a verb for everybody. Choices of other rows are limited to what the
    administrator sees, so a forged form cannot reach further than an honest one. Every write is in the audit; where a
    flow writes a better entry, `audited_by_flow` says so.
    """

    workspace_lookup: str | None = "workspace"
    may_add = may_change = may_delete = True
    audited_by_flow = False

    # ------------------------------------------------------------ whose rows
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if is_superuser(request):
            return rows
        if self.workspace_lookup is None:
            return rows.none()
        own = rows.filter(**{f"{self.workspace_lookup}__in": administered_ids(request)})
        return rows.filter(pk__in=own.order_by().values("pk"))  # each row once, and still deletable

    def _leads_to_workspace(self) -> bool:
        step = (self.workspace_lookup or "").split("__")[0]
        return step in {"pk", *(field.name for field in self.opts.get_fields())}

    def workspace_id_of(self, row: Any) -> UUID | None:
        """The workspace that `row` belongs to; None for one of the installation, or of several."""
        *way, last = (self.workspace_lookup or "").split("__")
        for step in way:
            row = getattr(row, step, None)
        found = getattr(row, last if last == "pk" or last.endswith("_id") else f"{last}_id", None)
        return found if isinstance(found, UUID) else None

    def get_list_filter(self, request: HttpRequest) -> Any:
        found = super().get_list_filter(request)
        return (*found, WorkspaceFilter) if self._leads_to_workspace() else found

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the page shows can be asked for in its address: no prefix of a hash, letter by letter."""
        shown = {*self.list_display, *(self.search_fields or ()), *(self.fields or ()), self.date_hierarchy}
        shown |= {_asked_as(one) for one in self.get_list_filter(request)}
        named = lookup.split("__")[0] in shown
        return named and super().lookup_allowed(lookup, value, request)

    # ------------------------------------------------------------ who may
    def sees(self, request: HttpRequest, row: Model | None) -> bool:
        """Whether `row` is of an administered workspace; without a row, whether there is any such workspace."""
        if row is None:
            return bool(administered_ids(request)) or is_superuser(request)
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

    # ------------------------------------------------------------ what may be chosen and written
    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", self._choices(db_field.related_model, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", self._choices(db_field.related_model, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _choices(self, model: type[Model], request: HttpRequest) -> QuerySet[Any]:
        """Workspaces and people of the administrator's own; of anything else what its page in the console lists."""
        if model is Workspace:
            return administered(request.user)
        if model is User:
            return User.objects.filter(memberships__workspace__in=administered_ids(request)).distinct()
        if self.admin_site.is_registered(model):
            return self.admin_site.get_model_admin(model).get_queryset(request)
        return QuerySet(model).none()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Wherever a form may have moved the row, it stays with an administered workspace."""
        if not is_superuser(request) and self.workspace_id_of(obj) not in administered_ids(request):
            raise PermissionDenied
        super().save_model(request, obj, form, change)

    # ------------------------------------------------------------ what is written down
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, "console.added", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._note(request, "console.changed", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._note(request, "console.removed", obj, [])
        return super().log_deletions(request, queryset)

    def get_action(self, action: Any, *args: Any, **kwargs: Any) -> Any:
        """Each of our own leaves an entry for every row it was used on."""
        found: Any = super().get_action(action, *args, **kwargs)
        if found is None or found.name == "delete_selected":  # which logs deletions
            return found
        return replace(found, func=self._noted(found.func, found.name))

    def _noted(self, action: Callable[..., Any], name: str) -> Callable[..., Any]:
        def run(page: Any, request: HttpRequest, rows: QuerySet[Any]) -> Any:
            for row in rows:
                self._note(request, f"console.{name}", row, [])
            return action(page, request, rows)

        return run

    def _note(self, request: HttpRequest, action: str, obj: Any, message: Any) -> None:
        if self.audited_by_flow and action in {"console.added", "console.changed", "console.removed"}:
            return
        fields = [name for part in message if isinstance(part, dict) for name in _fields(part)]
        audit.record(
            action,
            user=request.user if isinstance(request.user, User) else None,
            workspace_id=self.workspace_id_of(obj),
            target=f"{self.opts.verbose_name}: {obj}",
            data={"model": self.opts.label_lower, "pk": str(obj.pk), "fields": fields},
        )


def _asked_as(list_filter: Any) -> str:
    """The parameter of a filter, however it is declared."""
    if isinstance(list_filter, type):
        return str(getattr(list_filter, "parameter_name", ""))
    return list_filter if isinstance(list_filter, str) else str(list_filter[0])


def _fields(part: dict[str, Any]) -> list[str]:
    """The fields that one step of Django's own change message names."""
    return [str(name) for said in part.values() if isinstance(said, dict) for name in said.get("fields", [])]
