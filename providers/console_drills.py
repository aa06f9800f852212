"""Drills in the console: start one, watch it, stop it, read and keep its report."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from accounts.console import WorkspaceAdmin, administered_ids
from accounts.problems import Problem
from providers.console_parts import acting, label
from providers.drills import pictures, running
from providers.drills_api import DrillOut
from providers.forms import DrillForm
from providers.models import Drill

MARKS = {
    Drill.State.RUNNING: "unknown",
    Drill.State.PASSED: "ok",
    Drill.State.FAILED: "down",
    Drill.State.STOPPED: "off",
    Drill.State.INTERRUPTED: "degraded",
}


@admin.register(Drill)
class DrillAdmin(WorkspaceAdmin):
    """The rows are written by the drill itself; here they are looked at."""

    may_change = may_delete = False
    list_display = ("drill", "provider", "streams", "mark", "created_at", "took", "user")
    list_display_links = ("drill",)
    list_filter = ("kind", "state")
    list_select_related = ("user",)

    @admin.display(description="Drill", ordering="kind")
    def drill(self, row: Drill) -> str:
        return row.get_kind_display()

    @admin.display(description="Provider", ordering="provider_id")
    def provider(self, row: Drill) -> str:
        return label(row.provider_id)

    @admin.display(description="State", ordering="state")
    def mark(self, row: Drill) -> str:
        return format_html(
            '<span class="health" data-s="{}"><i></i>{}</span>', MARKS[Drill.State(row.state)], row.get_state_display()
        )

    @admin.display(description="Took")
    def took(self, row: Drill) -> str:
        return "" if row.seconds is None else f"{row.seconds} s"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:drill_id>/stop/", view(self.stop), name="providers_drill_stop"),
            path("<uuid:drill_id>/report.json", view(self.download), name="providers_drill_download"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(administered_ids(request))

    # ------------------------------------------------------------ pages
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        running.close_lost()
        return super().changelist_view(request, {"title": "Provider drills"} | (extra_context or {}))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise Http404
        form = DrillForm(request.POST or None, initial={name: request.GET[name] for name in request.GET})
        if form.is_valid() and (row := self._started(request, form)):
            return self._to(row.pk)
        values = {"form": form, "title": "Start a drill", "opts": self.opts}
        page = self.admin_site.each_context(request) | values
        return TemplateResponse(
            request, "admin/providers/drill/start.html", page, status=422 if request.method == "POST" else 200
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The report; with `?part` only what grows while the drill runs."""
        running.close_lost()
        row = self._row(request, object_id)
        values = {
            "drill": row,
            "provider": label(row.provider_id),
            "mark": MARKS[Drill.State(row.state)],
            "picture": pictures.picture(row.report),
            "running": row.state == Drill.State.RUNNING,
            "opts": self.opts,
        }
        if "part" in request.GET:
            return TemplateResponse(request, "admin/providers/drill/part.html", values)
        values |= self.admin_site.each_context(request) | {
            "title": f"{row.get_kind_display()}: {label(row.provider_id)}"
        }
        return TemplateResponse(request, "admin/providers/drill/report.html", values)

    @method_decorator(require_POST)
    def stop(self, request: HttpRequest, drill_id: UUID) -> HttpResponse:
        row = self._row(request, str(drill_id))
        running.ask_to_stop(row)
        messages.info(request, "The drill is being stopped.")
        return self._to(row.pk)

    def download(self, request: HttpRequest, drill_id: UUID) -> HttpResponse:
        row = self._row(request, str(drill_id))
        name = f"drill-{row.kind}-{row.provider_id}-{row.created_at:%Y%m%d-%H%M}.json"
        answer = JsonResponse(DrillOut(row).data, json_dumps_params={"indent": 2})
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    # ------------------------------------------------------------ what they share
    def _row(self, request: HttpRequest, object_id: str) -> Drill:
        row: Drill | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def _started(self, request: HttpRequest, form: DrillForm) -> Drill | None:
        try:
            return running.start(acting(request), **form.cleaned_data)
        except Problem as problem:
            form.add_error(problem.extra.get("field"), f"{problem.title} {problem.detail}")
            return None

    def _to(self, drill_id: UUID) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:providers_drill_change", args=[drill_id]))
