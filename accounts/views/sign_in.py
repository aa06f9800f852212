"""Coming in: sign-up, e-mailed codes, one-time links, the first page after them."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.logout import logout
from allauth.account.views import ConfirmEmailVerificationCodeView, ConfirmLoginCodeView, LoginView
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import after_sign_in, linking, links, methods, passkeys, proof
from accounts.actors import ENROL_KEY
from accounts.loopback import from_this_machine
from accounts.views.people import signed_in, wanted_by


class SignIn(LoginView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"signup_open": get_adapter().is_open_for_signup(self.request), "identity": linking.listed()}


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def sign_up(request: HttpRequest) -> HttpResponse:
    """The one sign-up makes a passkey; there is none that leaves an account without a way to sign in."""
    query = request.GET.urlencode()
    return redirect(reverse("account_signup_by_passkey") + (f"?{query}" if query else ""))


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def closed(request: HttpRequest, **_: Any) -> HttpResponse:
    """Pages for passwords, which this installation does not use."""
    raise Http404


def shown_code(request: HttpRequest, process: AbstractCodeVerificationProcess | None) -> dict[str, Any]:
    """In development the code is on the page, for the person at the machine that prints the mail."""
    if process is None or not (settings.DEVELOPMENT and from_this_machine(request)):
        return {}
    return {"development_code": process.code, "shows_code": True}


class LimitedTries:
    """A code is compared three times at most, also by requests that arrive together: allauth counts in the session,
    which all of those have read before the first of them writes it."""

    request: HttpRequest
    _process: Any
    _action: str

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        tried = f"{request.session.session_key} {self._process.code}"
        if self._action == "verify" and not ratelimit.consume(request, action="enter_code", key=tried):
            refused: HttpResponse = ratelimit.respond_429(request)
            return refused
        if "user_id" in self._process.state and self._process.user is None:  # removed since (`unfinished`)
            self._process.abort()
            messages.info(request, "That took too long. Start again.")
            return redirect("account_login")
        answer: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]
        return answer


@method_decorator(login_not_required, name="dispatch")
class ConfirmEmail(LimitedTries, ConfirmEmailVerificationCodeView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[no-untyped-call]
        return context | shown_code(self.request, self._process)


class ConfirmSignIn(LimitedTries, ConfirmLoginCodeView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | shown_code(self.request, self._process)


@require_GET
@login_not_required
@never_cache
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in by a one-time link. Elsewhere than on the server's own machine the page does not exist."""
    if not (settings.DEVELOPMENT and from_this_machine(request)):
        raise Http404
    if request.user.is_authenticated and links.belongs_to(token, signed_in(request)):
        return redirect(settings.LOGIN_REDIRECT_URL)  # a second click, or a page that was reloaded
    user = links.consume(token)
    if user is None:
        raise Http404
    get_adapter().login(request, user)
    proof.record_link(request, user)
    after_sign_in.enrolled(request)
    after_sign_in.list_session(request, user)
    return redirect("accounts:welcome")


@require_GET
@never_cache
def welcome(request: HttpRequest) -> HttpResponse:
    """Offers a passkey to somebody who came in without one, and insists where only an e-mailed code lets them in."""
    wanted, user = wanted_by(request), signed_in(request)
    if methods.usable(user):
        after_sign_in.enrolled(request)
    if passkeys.of(user).exists():
        return redirect(wanted)
    needed = request.session.get(ENROL_KEY, False)
    context = {"wanted": wanted, "needed": needed, "identity": linking.listed() if needed else []}
    return render(request, "accounts/welcome.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sign_in_again(request: HttpRequest) -> HttpResponse:
    """Step-up for who has no factor to repeat: a new sign-in, which sends a new code."""
    wanted = wanted_by(request)
    if request.method == "POST":
        logout(request)
        return redirect(reverse("account_login", query={"next": wanted}))
    return render(request, "accounts/sign_in_again.html", {"wanted": wanted})
