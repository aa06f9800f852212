"""The providers' health in the console: marks, history and what changed, and the keys of administered workspaces with
their last check."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from accounts.console import WorkspaceAdmin, administered
from providers import sources, status_words
from providers.console_parts import check_and_tell, health_of, label
from providers.credentials import descriptor_of
from providers.models import Credential, HealthEvent, ProviderHealth
from providers.resolution import Descriptor
from providers.session_parts import end_of

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline

MARKS = {
    Credential.State.WORKING: "ok",
    Credential.State.REFUSED: "down",
    Credential.State.UNREACHABLE: "degraded",
    Credential.State.EXPIRED: "expired",
    Credential.State.MALFORMED: "down",
    Credential.State.UNCHECKED: "unknown",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the table of keys; `ref` is what a check is asked for, `end` that of a session."""

    ref: str
    provider: str
    whose: str
    hint: str
    mark: str
    text: str
    account: str
    end: tuple[str, str]
    checked_at: datetime | None = None
    latency_ms: int | None = None


def keys(request: HttpRequest) -> list[Key]:
    """The installation's credentials and the keys of administered workspaces. Two queries."""
    known = {row.provider_id: row for row in ProviderHealth.objects.defer("recent")}
    ours = [_ours(one, known.get(one.provider_id)) for one in sources.descriptors()]
    rows = Credential.objects.filter(user__isnull=True, workspace__in=administered(request.user))
    return ours + [_stored(row) for row in rows.select_related("workspace").order_by("workspace__name", "provider_id")]


def _ours(found: Descriptor, health: ProviderHealth | None) -> Key:
    """What the installation's credential is found to be is the provider's own state."""
    named = (found.ref, label(found.provider_id), "Installation", found.hint)
    seen = ("unknown", "Not checked yet") if health is None else (health.state, health.get_state_display())
    checked = () if health is None else (health.last_checked_at, health.latency_ms)
    return Key(*named, *seen, found.account, end_of(found, timezone.now()), *checked)


def _stored(row: Credential) -> Key:
    found = descriptor_of(row)
    state = Credential.State(found.state)
    named = (found.ref, label(row.provider_id), row.workspace.name, row.hint)
    end = end_of(found, timezone.now())
    return Key(*named, MARKS[state], str(state.label), row.account, end, row.checked_at, row.latency_ms)


class EventInline(TabularInline):
    """What changed, newest first."""

    model = HealthEvent
    fields = readonly_fields = ("at", "before", "after", "reason", "lasted")
    extra = 0
    can_delete = False
    verbose_name_plural = "History"

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(ProviderHealth)
class ProviderHealthAdmin(WorkspaceAdmin):
    """One row a provider for the whole installation; checks and answers write it, nobody edits it."""

    may_add = may_change = may_delete = False
    inlines = (EventInline,)
    ordering = ("provider_id",)
    fields = readonly_fields = ("provider", "state", "since", "reason", "last_checked_at", "latency_ms")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderHealth]:
        return ProviderHealth.objects.order_by(*self.ordering)

    def get_urls(self) -> list[URLPattern]:
        check = self.admin_site.admin_view(self.check_key)
        return [path("check/", check, name="providers_providerhealth_check"), *super().get_urls()]

    @admin.display(description="Provider", ordering="provider_id")
    def provider(self, row: ProviderHealth) -> str:
        return label(row.provider_id)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Every provider on one page; with `?part` only what changes on it."""
        if not self.has_view_permission(request):
            raise Http404
        values = health_of(request)
        checked = [line.provider.provider_id for line in values["lines"] if line.checked_at]
        values |= {
            "events": status_words.happened(status_words.events_of(checked)),
            "keys": keys(request),
            "today": timezone.now().date(),
            "opts": self.opts,
        }
        if "part" in request.GET:
            return TemplateResponse(request, "admin/providers/providerhealth/part.html", values)
        values |= self.admin_site.each_context(request) | {"title": "Provider health"} | (extra_context or {})
        return TemplateResponse(request, "admin/providers/providerhealth/page.html", values)

    @method_decorator(require_POST)
    def check_key(self, request: HttpRequest) -> HttpResponse:
        """Check one of the keys that the page shows."""
        key = next((one for one in keys(request) if one.ref == request.POST.get("ref")), None)
        if key is None:
            raise Http404
        check_and_tell(request, key.ref, key.provider)
        return HttpResponseRedirect(reverse("admin:providers_providerhealth_changelist"))
