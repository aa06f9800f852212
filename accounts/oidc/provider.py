"""The provider class that allauth uses for every issuer: PKCE and a nonce always, nothing taken from the address."""

import secrets
from dataclasses import asdict
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.http import HttpRequest, HttpResponse

from accounts.models import IdentityProvider
from accounts.oidc.exchange import OIDCAdapter
from accounts.oidc.verify import Claims


class OIDCProvider(OpenIDConnectProvider):
    """`sociallogin_from_response` is given verified `Claims`. `app.row` is the IdentityProvider."""

    oauth2_adapter_class = OIDCAdapter
    supports_token_authentication = False

    @property
    def row(self) -> IdentityProvider:
        row: IdentityProvider = self.app.row
        return row

    def serialize(self) -> dict[str, Any]:
        """By the short name, which is unique; a client id need not be."""
        return {"id": self.sub_id}

    # ------------------------------------------------------------ going out
    def get_pkce_params(self) -> dict[str, str]:
        challenge: dict[str, str] = generate_code_challenge()
        return challenge

    def get_scope(self) -> list[str]:
        return self.row.scopes.split()

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return self.get_scope()

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        connecting = kwargs["process"] == AuthProcess.CONNECT
        return kwargs | {"process": AuthProcess.CONNECT if connecting else AuthProcess.LOGIN}

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """Never with `?auth_params=`, which could name another client or another address to come back to."""
        nonce = secrets.token_urlsafe(32)
        kwargs["auth_params"] = {"nonce": nonce}
        who = str(request.user.pk or "")
        response: HttpResponse = super().redirect(
            request, process, next_url=next_url, data=data, nonce=nonce, started_by=who, **kwargs
        )
        return response

    # ------------------------------------------------------------ coming back
    def extract_uid(self, data: Claims) -> str:
        return data.subject

    def extract_extra_data(self, data: Claims) -> dict[str, Any]:
        return asdict(data)

    def extract_common_fields(self, data: Claims) -> dict[str, str]:
        return {"email": data.email, "name": data.name}

    def extract_email_addresses(self, data: Claims) -> list[EmailAddress]:
        """Verified only when the issuer says so and its word counts."""
        verified = data.email_verified and self.row.proves_addresses
        return [EmailAddress(email=data.email, verified=verified, primary=True)] if data.email else []
