"""Confirming a link to an account at an identity provider, and taking one off."""

from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import after_sign_in, linking, methods, proof
from accounts.views.people import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Who is not signed in proves the existing account first; its owner then confirms what is named here."""
    pending = linking.held(request)
    if pending is None:
        return render(request, "accounts/link_expired.html", status=410)
    context = {"provider": pending.provider, "claims": pending.claims}
    if not request.user.is_authenticated:
        way = reverse("account_login", query={"next": reverse("accounts:link")})
        return render(request, "accounts/link_prove.html", context | {"sign_in": way})
    if signed_in(request).pk != pending.target:
        return render(request, "accounts/link_other.html", context, status=409)
    proof.require_recent(request)
    if request.method == "POST":
        return _confirm(request, pending)
    return render(request, "accounts/link_confirm.html", context)


def _confirm(request: HttpRequest, pending: linking.Pending) -> HttpResponse:
    name = pending.provider.name
    try:
        linking.confirm(request, pending, signed_in(request))
    except linking.LinkedElsewhere:
        messages.error(request, f"This {name} account is linked already, so nothing was changed.")
    else:
        after_sign_in.enrolled(request)
        messages.success(request, f"Your {name} account is linked. It signs you in from now on.")
    return redirect("accounts:security")


@require_POST
@login_not_required
def cancel(request: HttpRequest) -> HttpResponse:
    linking.drop(request)
    messages.info(request, "Nothing was linked.")
    return redirect("accounts:security" if request.user.is_authenticated else "account_login")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first; refuses to take off the last way to sign in."""
    user = signed_in(request)
    account = get_object_or_404(SocialAccount, pk=pk, user=user)
    proof.require_recent(request)
    name = linking.name_of(account)
    if request.method == "POST":
        try:
            linking.unlink(request, user, account)
        except methods.LastMethod:
            messages.error(request, f"{name} is your last way to sign in, so it stays. Add a passkey first.")
        else:
            messages.success(request, f"Your {name} account is unlinked. It does not sign you in any more.")
        return redirect("accounts:security")
    others = len(methods.usable(user) - {methods.Method(SocialAccount, account.pk)})
    return render(request, "accounts/unlink.html", {"name": name, "account": account, "others": others})
