"""Going to an identity provider and coming back from it; allauth looks for these two by name."""

from collections.abc import Callable
from typing import Any

from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import proof
from accounts.oidc.exchange import OIDCAdapter
from accounts.oidc.refusals import Refused


class _Login(OAuth2LoginView):
    @classmethod
    def adapter_view(cls, adapter: OIDCAdapter) -> Callable[[HttpRequest], HttpResponse]:
        view: Callable[[HttpRequest], HttpResponse] = super().adapter_view(adapter)  # type: ignore[no-untyped-call]
        return view


class _Callback(OAuth2CallbackView):
    adapter: OIDCAdapter

    @classmethod
    def adapter_view(cls, adapter: OIDCAdapter) -> Callable[[HttpRequest], HttpResponse]:
        view: Callable[[HttpRequest], HttpResponse] = super().adapter_view(adapter)  # type: ignore[no-untyped-call]
        return view

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, response = super()._get_state(request, provider)
        self.adapter.state = state or {}
        return state, response


@require_http_methods(["GET", "POST"])
@login_not_required
@never_cache
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """A page that asks first, then one that leads on.

    The browser leaves by a page of its own, not by a redirect after the form: `form-action 'self'` follows redirects,
    also those between an issuer's own hosts, which nobody can list.
    """
    adapter = _adapter(request, provider_id)
    if request.method == "POST" and request.GET.get("process") == AuthProcess.CONNECT:
        if not request.user.is_authenticated:
            return redirect(reverse("account_login", query={"next": reverse("accounts:security")}))
        proof.require_recent(request)
    try:
        response = _Login.adapter_view(adapter)(request)
    except Refused as refused:
        page: HttpResponse = render_authentication_error(request, adapter.get_provider(), exception=refused)
        return page
    if isinstance(response, HttpResponseRedirect):
        return render(request, "socialaccount/leaving.html", {"url": response.url, "name": adapter.row.name})
    return response


@require_GET
@login_not_required
@never_cache
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _Callback.adapter_view(_adapter(request, provider_id))(request)


def _adapter(request: HttpRequest, provider_id: str) -> OIDCAdapter:
    """Raises Http404 for an identity provider that is unknown or turned off."""
    adapter = OIDCAdapter(request, provider_id)
    try:
        adapter.get_provider()
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return adapter
