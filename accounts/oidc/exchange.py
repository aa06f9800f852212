"""A code for an ID token, and the token for verified claims. Every way this can fail is a `Refused`."""

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

from allauth.socialaccount.models import SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

from accounts import sealing
from accounts.keyring import DecryptionFailed
from accounts.models import IdentityProvider
from accounts.oidc import claim_map, discovery, verify
from accounts.oidc.http import fetch_json
from accounts.oidc.refusals import BAD_ANSWER, BAD_TOKEN, CODE_REFUSED, SECRET_UNREADABLE, UNREACHABLE, Refused

LONGEST_CODE = 4096


class OIDCClient(OAuth2Client):
    """The redirect is allauth's; the exchange is ours, for an issuer that need not send an access token."""

    row: IdentityProvider

    def get_access_token(
        self, code: str | None, pkce_code_verifier: str | None = None, extra_data: Any = None
    ) -> dict[str, Any]:
        if not code or len(code) > LONGEST_CODE:
            raise Refused(CODE_REFUSED, "the code has no acceptable form")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.callback_url}
        form["code_verifier"] = pkce_code_verifier or ""
        extra, headers = _authentication(self.row)
        url = discovery.metadata(self.row).token
        private = self.row.workspace_id is None
        status, body = fetch_json(url, private=private, form=form | extra, headers=headers)
        if status >= 500:
            raise Refused(UNREACHABLE, f"status {status}")
        if status != 200:
            raise Refused(CODE_REFUSED, f"status {status}")
        if not isinstance(body, dict):
            raise Refused(BAD_ANSWER, "the token answer is no object")
        return body


class OIDCAdapter(OpenIDConnectOAuth2Adapter):
    """One callback. `state` is what was kept when the person was sent out: nonce, verifier, who started it."""

    client_class = OIDCClient
    state: dict[str, Any]

    def get_provider(self) -> Any:
        """An `OIDCProvider`. Raises SocialApp.DoesNotExist for one that cannot be used now."""
        return super().get_provider()  # type: ignore[no-untyped-call]

    @property
    def row(self) -> IdentityProvider:
        row: IdentityProvider = self.get_provider().row
        return row

    @property
    def openid_config(self) -> dict[str, str]:
        said = discovery.metadata(self.row)
        return {"authorization_endpoint": said.authorization, "token_endpoint": said.token}

    def get_client(self, request: HttpRequest, app: Any) -> OIDCClient:
        client: OIDCClient = super().get_client(request, app)
        client.row = self.row
        return client

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        said = discovery.metadata(self.row)
        named = request.GET.get("iss")
        if (named is None and said.names_itself) or named not in {None, said.issuer}:
            raise Refused(BAD_TOKEN, "the callback comes from another issuer")
        data: dict[str, Any] = super().get_access_token_data(request, app, client, pkce_code_verifier)
        return data

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Nothing here needs an access token later, so none is kept, not even while a sign-up is pending."""
        return SocialToken(token="")

    def complete_login(self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any) -> SocialLogin:
        response, row = kwargs["response"], self.row
        expected = verify.Expected(row.issuer, row.client_id, self.state.get("nonce") or "")
        claims = verify.verified(response.get("id_token"), lambda anew: discovery.keys(row, anew=anew), expected)
        if row.fetch_userinfo:
            more = _userinfo(row, response, claims["sub"])
            claims = ({**more, "email_verified": None} if "email" in claims else more) | claims
        kept = replace(verify.kept(claims), role=claim_map.mapped(row.roles, claims))
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, kept)
        return login


def _userinfo(row: IdentityProvider, response: dict[str, Any], subject: str) -> dict[str, Any]:
    """More claims about the very subject of the ID token; what that token says goes before them.

    An address and its verification are one statement: they are taken from one place.
    """
    url, token = discovery.metadata(row).userinfo, response.get("access_token")
    if not url or not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise Refused(BAD_ANSWER, "there is no way to ask for more claims")
    headers = {"Authorization": f"Bearer {token}"}
    status, more = fetch_json(url, private=row.workspace_id is None, headers=headers)
    if status != 200 or not isinstance(more, dict):
        raise Refused(BAD_ANSWER, f"userinfo status {status}")
    if more.get("sub") != subject:
        raise Refused(BAD_TOKEN, "userinfo speaks of another subject")
    return more


def _authentication(row: IdentityProvider) -> tuple[dict[str, str], dict[str, str]]:
    """How this client says who it is: extra form fields, and headers."""
    if row.token_auth == IdentityProvider.TokenAuth.NONE:
        return {"client_id": row.client_id}, {}
    try:
        secret = sealing.unseal(row, row.secret).reveal()
    except DecryptionFailed:
        raise Refused(SECRET_UNREADABLE) from None
    if row.token_auth == IdentityProvider.TokenAuth.POST:
        return {"client_id": row.client_id, "client_secret": secret}, {}
    pair = f"{quote_plus(row.client_id)}:{quote_plus(secret)}"
    return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
