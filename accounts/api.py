"""How API clients prove who they are, and what a view may ask of them."""

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import tokens
from accounts.actors import actor_of
from accounts.models import ApiToken, User

if TYPE_CHECKING:  # REST framework's settings name this module, so its views are not there yet
    from rest_framework.views import APIView

ANY_SCOPE = "*"
"""For the few views that every living token may call."""


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer parley_pat_…`, and no other way. `request.auth` becomes the ApiToken."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        plain = bearer_of(get_authorization_header(request).decode("latin1"))
        if plain is None:
            return None
        try:
            token = tokens.verify(plain)
        except tokens.TokenRefused as refused:
            raise AuthenticationFailed(refused.detail, code=refused.code) from None
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="parley"'


class HasWorkspaceAndScope(BasePermission):
    """Lets pass a member of a workspace whose token holds the view's `scope`. A view that names none is closed."""

    code: str | None = None
    message: str | None = None

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not request.user.is_authenticated:
            return False
        scope: str = getattr(view, "scope", "")
        if scope and (actor_of(request).may(scope) or scope == ANY_SCOPE):
            return True
        self.code, self.message = (
            "scope_missing",
            f"This needs an API token with the scope {scope or 'of an operator'}.",
        )
        return False


def bearer_of(header: str) -> str | None:
    """The token text of an Authorization header, or None when it is of another kind."""
    scheme, _, plain = header.partition(" ")
    return plain.strip() if scheme.lower() == "bearer" else None


def authenticate_bearer(header: str) -> ApiToken | None:
    """The living token of an Authorization header, None for any other; for views that are not DRF's. Two queries."""
    try:
        return tokens.verify(bearer_of(header) or "")
    except tokens.TokenRefused:
        return None
