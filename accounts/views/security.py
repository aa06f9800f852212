"""How a person signs in and where they are signed in: one page, and the sessions they can end."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import devices, joining, linking, methods, passkeys, seeds, sessions
from accounts.models import IdentityProvider, User
from accounts.views.people import signed_in


@require_GET
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    context = {
        "passkeys": [_key_row(key) for key in passkeys.of(user)],
        "alone": len(methods.usable(user)) == 1,
        "linked": [_linked_row(*one) for one in linking.linked(user)],
        "identity": linking.linkable(user),
        "pending": linking.held(request),
        "recovery": _recovery_state(user),
        "sessions": [_session_row(one) for one in sessions.living(user)],
    }
    return render(request, "accounts/security.html", context)


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    sessions.end(request, signed_in(request), pk)
    if request.user.is_authenticated:
        messages.success(request, "That session is signed out.")
    return redirect("accounts:security")


@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    sessions.end_others(request, signed_in(request))
    messages.success(request, "You are signed out everywhere else.")
    return redirect("accounts:security")


def _linked_row(account: SocialAccount, provider: IdentityProvider | None) -> dict[str, Any]:
    """One whose identity provider was turned off does not sign in, and says so."""
    return {
        "pk": account.pk,
        "provider": provider,
        "name": provider.name if provider else account.provider,
        "email": joining.claims_of(account).email,
        "added": account.date_joined,
        "used": account.last_login,
    }


def _key_row(key: Authenticator) -> dict[str, Any]:
    wrapped = WebAuthn(key)
    name = wrapped.name
    return {
        "pk": key.pk,
        "name": name,
        "icon": "i-phone" if any(mobile in name for mobile in devices.MOBILE) else "i-device",
        "added": key.created_at,
        "used": key.last_used_at,
        "synced": passkeys.is_synced(key),
    }


def _recovery_state(user: User) -> dict[str, Any] | None:
    stored = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    if stored is None:
        return None
    if not seeds.readable(stored):
        return {"unreadable": True, "made": stored.created_at}
    codes = RecoveryCodes(stored)
    return {"left": len(codes.get_unused_codes()), "unseen": not codes.did_view, "made": stored.created_at}


def _session_row(one: UserSession) -> dict[str, Any]:
    return {
        "pk": one.pk,
        "what": devices.describe(one.user_agent),
        "icon": "i-phone" if devices.is_mobile(one.user_agent) else "i-device",
        "ip": one.ip,
        "since": one.created_at,
        "by": one.data.get("by", ""),
        "current": one.is_current(),
    }
