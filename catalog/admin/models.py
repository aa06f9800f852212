"""Models in the console: to look at, to say what is known better than the lists do, and to move away from."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse

from accounts.console import WorkspaceAdmin, administered
from accounts.problems import Problem
from catalog import succession
from catalog.forms import StatementForm, SuccessorForm
from catalog.models import LanguageModel


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def listed(request: HttpRequest) -> QuerySet[LanguageModel]:
    """Names that only somebody's stored key lists are for superusers."""
    rows = LanguageModel.objects.all()
    return rows if is_superuser(request) else rows.filter(shared=True)


@admin.register(LanguageModel)
class LanguageModelAdmin(WorkspaceAdmin):
    """What the providers list. A superuser may say what is known better; an administrator moves their workspace."""

    may_add = may_delete = False
    form = StatementForm
    change_form_template = "admin/catalog/model.html"
    list_display = (
        "label",
        "key",
        "provider_id",
        "lifecycle",
        "retires_at",
        "context_window",
        "supports_tools",
        "supports_vision",
        "supports_reasoning",
        "sandbox",
        "last_seen_at",
    )
    list_filter = ("lifecycle", "provider_id", "sandbox", "supports_tools", "supports_vision", "supports_reasoning")
    search_fields = ("model_id", "label")
    ordering = ("provider_id", "label")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LanguageModel]:
        return listed(request).order_by(*self.ordering)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def get_urls(self) -> list[URLPattern]:
        move = path("<int:pk>/move/", self.admin_site.admin_view(self.move), name="catalog_languagemodel_move")
        return [move, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return StatementForm.SAID if is_superuser(request) else (*self.list_display, "successor")

    def move(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What names this model in one administered workspace, or everywhere, and moving it to another one."""
        row = self.get_queryset(request).filter(pk=pk).first()
        if row is None or not self.has_view_permission(request):
            raise Http404
        places = list(administered(request.user).order_by("name"))
        form = SuccessorForm(
            request.POST or None,
            others=listed(request).exclude(lifecycle=LanguageModel.Lifecycle.VANISHED).exclude(pk=pk),
            places=[(str(one.pk), one.name) for one in places],
            everywhere=is_superuser(request),
            initial={"to_model": succession.model_of(row.successor) if row.successor else None},
        )
        if form.is_valid():
            return self._moved(request, row, form)
        counted: list[tuple[str, dict[str, int]]] = [
            (one.name, succession.affected(one.pk, row.key)) for one in places[:20]
        ]
        if is_superuser(request):
            counted.append(("The whole installation", succession.affected(None, row.key)))
        context = self.admin_site.each_context(request) | {
            "title": f"Move away from {row.label}",
            "row": row,
            "form": form,
            "names": [name.replace("_", " ") for name in succession.affected(None, "")],
            "counted": [(name, list(counts.values())) for name, counts in counted],
            "opts": self.opts,
        }
        return render(request, "admin/catalog/move.html", context)

    def _moved(self, request: HttpRequest, row: LanguageModel, form: SuccessorForm) -> HttpResponse:
        if request.user.pk is None:
            raise PermissionDenied
        mover = succession.Mover(request.user.pk, form.place)
        try:
            made = succession.migrate(mover, row, form.cleaned_data["to_model"])
        except Problem as problem:
            messages.error(request, problem.title)
            return HttpResponseRedirect(request.path)
        messages.success(request, f"Moved {succession.total(made.counts)} from {made.from_model} to {made.to_model}.")
        return HttpResponseRedirect(reverse("admin:catalog_modelmigration_changelist"))
