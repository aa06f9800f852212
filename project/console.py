"""The console: the Django admin behind our own door, for administrators who have just used a passkey."""

from typing import Any

from allauth.account.internal.flows.logout import logout as sign_out
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts import passkeys, proof
from accounts.console import administered, administered_ids
from accounts.models import User
from project.figures import figures
from providers.console_parts import health_of


class Console(AdminSite):
    """Admits superusers and administrators of a workspace, with a passkey used at most four hours ago."""

    site_header = site_title = "Parley console"
    index_title = "Overview"
    site_url = "/"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        person = administrator(request)
        return person is not None and proof.is_strong(request, person)

    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is no password form here: sign in, make a passkey, or use it, and come back."""
        wanted = request.GET.get("next") or reverse("admin:index")
        if not request.user.is_authenticated:
            return _via("account_login", wanted)
        person = administrator(request)
        if person is None:
            raise PermissionDenied
        if proof.is_strong(request, person):
            return redirect("admin:index")
        if not passkeys.of(person).exists():
            messages.info(request, "The console opens with a passkey. Add one first.")
            return _via("mfa_add_webauthn", wanted)
        return _via("mfa_reauthenticate_webauthn", wanted)

    @method_decorator(never_cache)
    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The overview; with `?part` only the providers' health, which an open page draws again when it changes."""
        health = health_of(request)
        if "part" in request.GET:
            return TemplateResponse(request, "admin/health_lines.html", health)
        shown = {"figures": figures(administered(request.user))} | health
        return super().index(request, (extra_context or {}) | shown)

    # Redirects, where Django's own two answer with pages for its password users.
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "POST":
            sign_out(request)
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("accounts:security")


def administrator(request: HttpRequest) -> User | None:
    """The person behind `request` when they administer anything."""
    user = request.user
    if not (isinstance(user, User) and user.is_active):
        return None
    return user if user.is_superuser or administered_ids(request) else None


def _via(name: str, wanted: str) -> HttpResponse:
    return redirect(reverse(name, query={"next": wanted}))
