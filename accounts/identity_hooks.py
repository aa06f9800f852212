"""What we change in allauth's part for identity providers, through its own hooks."""

import logging
from typing import Any, cast

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts import arrivals, joining, linking, unfinished
from accounts.models import IdentityProvider, User
from accounts.oidc.refusals import DENIED, NOT_YOURS, RACED, STALE, WORDS, Refused
from accounts.oidc.verify import Claims

log = logging.getLogger("parley.identity")
PROVIDER = "openid_connect"


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Rows of the console that can be used now, by short name; their secrets stay where they are."""
        rows = IdentityProvider.objects.offered().select_related("workspace")
        if provider and provider != PROVIDER:
            rows = rows.filter(slug=provider)
        return [_app(row) for row in rows if client_id in {None, row.client_id}]

    def is_email_verified(self, provider: Any, email: str) -> bool:
        """No setting makes an address verified that its issuer does not call so."""
        return False

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        """An address never selects a person."""
        return False

    # ------------------------------------------------------------ coming back
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Before anybody is signed in: a link that was asked for, or that an address suggests, waits for its owner."""
        row, claims = sociallogin.provider.row, joining.claims_of(sociallogin.account)
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(self._connect(request, sociallogin, row, claims))
        if sociallogin.is_existing or not any(one.verified for one in sociallogin.email_addresses):
            return
        owner = linking.owner_of(claims.email)
        if owner is None:
            unfinished.forget(claims.email)
            return
        linking.hold(request, row, claims, owner)
        raise ImmediateHttpResponse(redirect("accounts:link"))

    def _connect(
        self, request: HttpRequest, sociallogin: SocialLogin, row: IdentityProvider, claims: Claims
    ) -> HttpResponse:
        """Whoever asked for a link from their settings confirms it by name as well."""
        user = request.user
        if not isinstance(user, User) or str(user.pk) != sociallogin.state.get("started_by"):
            raise Refused(NOT_YOURS)
        if not sociallogin.is_existing:
            linking.hold(request, row, claims, user)
            return redirect("accounts:link")
        if sociallogin.user == user:
            messages.info(request, f"This {row.name} account is linked already.")
        else:
            messages.error(request, f"This {row.name} account belongs to somebody else here, so it was not linked.")
        return redirect("accounts:security")

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """By the identity provider's own rule, or by an invitation that the person came with."""
        row, claims = sociallogin.provider.row, joining.claims_of(sociallogin.account)
        if not (joining.may_sign_up(row, claims) or arrivals.admits(request, claims.email)):
            page = render(request, "socialaccount/no_account.html", {"provider": row, "claims": claims}, status=403)
            raise ImmediateHttpResponse(page)
        return True

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, str]) -> User:
        user = cast("User", sociallogin.user)
        user.email, user.name = data.get("email", ""), data.get("name", "")
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Raises Refused when the same person arrived twice at once; the other one wins."""
        try:
            with transaction.atomic():
                user: User = super().save_user(request, sociallogin, form)
        except IntegrityError:
            raise Refused(RACED) from None
        return user

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("accounts:security")

    # ------------------------------------------------------------ what went wrong
    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Into the log with its cause, onto the page with its remedy; neither holds what the issuer sent."""
        row: IdentityProvider = provider.row
        state = (extra_context or {}).get("state") or {}
        if error == AuthError.CANCELLED:
            messages.info(request, f"You did not go on with {row.name}. Nothing was changed.")
            back = "accounts:security" if state.get("process") == AuthProcess.CONNECT else "account_login"
            raise ImmediateHttpResponse(redirect(back))
        code = exception.code if isinstance(exception, Refused) else DENIED if state else STALE
        log.warning("sign-in through %s refused: %s", row.slug, exception or code)
        if extra_context is not None:
            extra_context.update(provider=row, code=code, words=WORDS[code].format(name=row.name))


def _app(row: IdentityProvider) -> SocialApp:
    app = SocialApp(provider=PROVIDER, provider_id=row.slug, name=row.name, client_id=row.client_id)
    app.settings = {"server_url": row.issuer, "token_auth_method": row.token_auth}
    app.row = row  # type: ignore[attr-defined] # not of the table: what our provider class works with
    return app
