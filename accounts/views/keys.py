"""Adding, renaming and removing passkeys, and the recovery codes that go with them."""

from typing import Any

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.webauthn.internal import auth, flows
from allauth.mfa.webauthn.views import AddWebAuthnView, EditWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import after_sign_in, joining, methods, passkeys, proof, seeds
from accounts.hooks import onward
from accounts.views.people import signed_in, wanted_by


class AddPasskey(AddWebAuthnView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        options = auth.begin_registration(signed_in(self.request), True)
        return context | {"js_data": {"creation_options": options}, "wanted": self.request.GET.get("next", "")}

    def form_valid(self, form: Any) -> HttpResponse:
        user = signed_in(self.request)
        first = not passkeys.of(user).exists()
        key, codes = flows.add_authenticator(self.request, **{k: form.cleaned_data[k] for k in ("name", "credential")})
        proof.record_passkey(self.request, user, key)
        after_sign_in.enrolled(self.request)
        joining.follow_all(user)
        asked = "next" in self.request.POST or "next" in self.request.GET
        wanted = wanted_by(self.request) if asked or first else reverse("accounts:security")
        return redirect(onward("mfa_view_recovery_codes", wanted) if codes else wanted)


class RenamePasskey(EditWebAuthnView):
    def get_success_url(self) -> str:
        return reverse("accounts:security")


class RemovePasskey(RemoveWebAuthnView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = signed_in(self.request)
        last = methods.is_last(user, self.object)
        others = len(methods.usable(user) - {methods.Method(Authenticator, self.object.pk)})
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[no-untyped-call]
        return context | {"last": last, "others": others}

    def form_valid(self, form: Any) -> HttpResponse:
        user, key = signed_in(self.request), self.get_object()
        try:
            methods.remove_passkey(self.request, user, key)
        except methods.LastMethod:
            reason = "This passkey is your last way to sign in, so it stays. Add another one first."
            messages.error(self.request, reason)
        return redirect("accounts:security")


def unseen_codes(request: HttpRequest) -> RecoveryCodes | None:
    """The person's recovery codes while they have not said that they saved them; asks for recent proof."""
    user = signed_in(request)
    stored = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    if stored is None:
        raise Http404
    raise_if_reauthentication_required(request, app="allauth.mfa")
    codes = RecoveryCodes(stored)
    return None if codes.did_view or not seeds.readable(stored) else codes


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Shown until the person says they are saved, and never again."""
    codes = unseen_codes(request)
    if request.method == "POST" and codes:
        codes.mark_as_viewed()
    if request.method == "POST" or codes is None:
        return redirect(wanted_by(request) if request.method == "POST" else "accounts:security")
    context = {"codes": codes.get_unused_codes(), "wanted": wanted_by(request)}
    return render(request, "mfa/recovery_codes/index.html", context)


@require_GET
@never_cache
def download_recovery_codes(request: HttpRequest) -> HttpResponse:
    codes = unseen_codes(request)
    if codes is None:
        raise Http404
    lines = ["Parley recovery codes", f"for {signed_in(request).email}, each works once", "", *codes.get_unused_codes()]
    response = HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="parley-recovery-codes.txt"'
    return response
