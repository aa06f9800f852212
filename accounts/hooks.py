"""What we change in allauth, through its own hooks."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import get_login_redirect_url
from allauth.core import context
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import auto_generate_recovery_codes
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import after_sign_in, arrivals, devices, joining, keyring, passkeys, proof, seeds, unfinished

METHOD_LABELS = {
    "mfa_reauthenticate:webauthn": "Use a passkey",
    "mfa_reauthenticate": "Use a recovery code",
    "reauthenticate": "Use your password",
}


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": "That code is not right. Check it and try again.",
        "too_many_login_attempts": "Too many tries. Wait a few minutes and try again.",
        "rate_limited": "That was too often. Wait a minute and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGNUP_OPEN or arrivals.expected(request))

    def clean_email(self, email: str) -> str:
        """Where sign-up is closed, an invitation opens it for its own address only."""
        request = context.request
        if settings.SIGNUP_OPEN or request.user.is_authenticated or not arrivals.expected(request):
            return email
        if not arrivals.admits(request, email):
            raise ValidationError("The invitation is for another address.")
        return email

    def login(self, request: HttpRequest, user: Any) -> None:
        """The first sign-in follows a proven address: it ends in the workspace of the invitation, in that of the
        identity provider, or where sign-up is open in the first one, as a member only."""
        if user.last_login is None:
            unfinished.claim(request, user)
            if not arrivals.arrive(request, user):
                joining.first_sign_in(user, open_to_all=settings.SIGNUP_OPEN)
        super().login(request, user)

    def post_login(
        self, request: HttpRequest, user: Any, *, signup: bool, redirect_url: str | None, **rest: Any
    ) -> HttpResponse:
        """Detours before the page a person wanted: recovery codes after sign-up, a passkey for who has none."""
        own = passkeys.of(user).first()
        wanted = get_login_redirect_url(request, redirect_url)
        if signup and own:
            proof.record_passkey(request, user, own)
            auto_generate_recovery_codes(request)
            wanted = onward("mfa_view_recovery_codes", wanted)
        elif signup:
            proof.record_sign_up(request, user)
        else:
            proof.record_sign_in(request, user)
        alone = after_sign_in.settle(request, user)
        if not own and (signup or not alone):
            wanted = onward("accounts:welcome", wanted)
        response: HttpResponse = super().post_login(request, user, signup=signup, redirect_url=wanted, **rest)
        after_sign_in.note(request, user)
        return response

    def is_reauthentication_required(self, *, app: str, **_: Any) -> bool:
        """Always; and for a person without any factor allauth's own check would pass in silence, so it is made here."""
        request = context.request
        user = request.user
        if user.is_authenticated and not proof.has_factor(user) and not proof.is_recent(request, user):
            raise ReauthenticationRequired
        return True

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """A passkey first, recovery codes after it; without either, a new sign-in."""
        found = {method["id"]: method for method in super().get_reauthentication_methods(user)}
        methods = [found[key] | {"description": label} for key, label in METHOD_LABELS.items() if key in found]
        again = {"id": "sign_in_again", "description": "Sign in again", "url": reverse("accounts:sign_in_again")}
        return methods or [again]


class MFAAdapter(DefaultMFAAdapter):
    """Seals recovery seeds, pins the id that passkeys are bound to, and names keys after where they were made."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That was not accepted. Try again.",
        "unverified_email": "Confirm your e-mail address first.",
    }

    def encrypt(self, text: str) -> str:
        return keyring.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return seeds.opened_or_useless(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": settings.PASSKEY_RP_ID, "name": "Parley"}

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:  # noqa: A002
        return devices.describe(context.request.headers.get("User-Agent", ""))


def onward(name: str, wanted: str) -> str:
    """The address of the page `name`, which leads on to `wanted`."""
    return f"{reverse(name)}?{urlencode({'next': wanted})}"
