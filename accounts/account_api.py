"""A person's own ways to sign in, sessions and API tokens under /api/v1/me/.

A token reads, and ends sessions and tokens. What adds or takes away a way in is for somebody at a browser who has just
proven who they are; adding a passkey takes the browser itself, so it has a page only.
"""

from typing import Any, cast
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import flows
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import devices, joining, linking, methods, passkeys, proof, sessions, tokens
from accounts.actors import actor_of
from accounts.forms import NAME_LENGTH
from accounts.models import ApiToken, User, Workspace
from accounts.policies import SCOPES
from accounts.problems import Problem, not_found
from accounts.workspaces_api import given

SCOPE = "account"


class PasskeyOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.SerializerMethodField()
    synced = serializers.SerializerMethodField(help_text="Whether a platform keeps a copy of it.")
    last_way_in = serializers.SerializerMethodField(help_text="Then it stays.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)

    def get_name(self, key: Authenticator) -> str:
        return str(WebAuthn(key).name)

    def get_synced(self, key: Authenticator) -> bool:
        return passkeys.is_synced(key)

    def get_last_way_in(self, key: Authenticator) -> bool:
        return methods.is_last(key.user, key)


class PasskeyList(serializers.Serializer[Any]):
    results = PasskeyOut(many=True)


class PasskeyIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=NAME_LENGTH)


class LinkedAccountOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    identity_provider = serializers.CharField(source="provider", help_text="Its short name.")
    name = serializers.SerializerMethodField()
    email = serializers.SerializerMethodField()
    last_way_in = serializers.SerializerMethodField(help_text="Then it stays.")
    linked_at = serializers.DateTimeField(source="date_joined")
    last_used_at = serializers.DateTimeField(source="last_login")

    def get_name(self, account: SocialAccount) -> str:
        return linking.name_of(account)

    def get_email(self, account: SocialAccount) -> str:
        return joining.claims_of(account).email

    def get_last_way_in(self, account: SocialAccount) -> bool:
        return methods.is_last(account.user, account)


class LinkedAccountList(serializers.Serializer[Any]):
    results = LinkedAccountOut(many=True)


class SessionOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    device = serializers.SerializerMethodField()
    ip = serializers.IPAddressField()
    signed_in_by = serializers.SerializerMethodField()
    current = serializers.SerializerMethodField(help_text="Whether this very request comes from it.")
    created_at = serializers.DateTimeField()

    def get_device(self, one: UserSession) -> str:
        return devices.describe(one.user_agent)

    def get_signed_in_by(self, one: UserSession) -> str:
        return str(one.data.get("by", ""))

    def get_current(self, one: UserSession) -> bool:
        return bool(one.is_current())


class SessionList(serializers.Serializer[Any]):
    results = SessionOut(many=True)


class TokenIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(SCOPES)), allow_empty=False)
    days = serializers.IntegerField(min_value=1, max_value=tokens.MAX_DAYS, default=tokens.DEFAULT_DAYS)


class TokenOut(serializers.ModelSerializer[ApiToken]):
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(SCOPES)))

    class Meta:
        model = ApiToken
        fields = ("id", "name", "hint", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")


class TokenList(serializers.Serializer[Any]):
    results = TokenOut(many=True)


class TokenMade(TokenOut):
    token = serializers.CharField(help_text="Shown this once.")

    class Meta(TokenOut.Meta):
        fields = (*TokenOut.Meta.fields, "token")  # type: ignore[assignment]


def _person(request: Request) -> User:
    return cast("User", request.user)


def _at_a_browser(request: Request) -> HttpRequest:
    """The request as allauth's flows know it. Raises Problem 403 for a token, and for a session without proof."""
    if request.auth is not None:
        raise Problem(403, "session_needed", "An API token does not do this.", "Do it in the browser, signed in.")
    proof.require_recent_session(request, _person(request))
    return cast("HttpRequest", request)


def _last() -> Problem:
    return Problem(409, "last_method", "This is your last way to sign in.", "Add another one first.")


# ---------------------------------------------------------------- passkeys
class PasskeysView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="passkeys_list", responses=PasskeyList)
    def get(self, request: Request) -> Response:
        """Your passkeys, oldest first."""
        return Response({"results": PasskeyOut(passkeys.of(_person(request)), many=True).data})


class PasskeyView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="passkeys_rename", request=PasskeyIn, responses=PasskeyOut)
    def patch(self, request: Request, passkey_id: int) -> Response:
        """Give a passkey another name."""
        key, name = _passkey(request, passkey_id), given(PasskeyIn, request)["name"]
        flows.rename_authenticator(_at_a_browser(request), key, name)
        return Response(PasskeyOut(key).data)

    @extend_schema(operation_id="passkeys_remove", responses={204: None})
    def delete(self, request: Request, passkey_id: int) -> Response:
        """Remove a passkey; the last way to sign in stays."""
        key, browser = _passkey(request, passkey_id), _at_a_browser(request)
        try:
            methods.remove_passkey(browser, _person(request), key)
        except methods.LastMethod:
            raise _last() from None
        return Response(status=status.HTTP_204_NO_CONTENT)


def _passkey(request: Request, pk: int) -> Authenticator:
    key = passkeys.of(_person(request)).filter(pk=pk).first()
    if key is None:
        raise not_found()
    return key


# ---------------------------------------------------------------- linked accounts
class LinkedAccountsView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="linked_accounts_list", responses=LinkedAccountList)
    def get(self, request: Request) -> Response:
        """Your accounts at identity providers, oldest first. Linking one takes a browser."""
        rows = [account for account, _ in linking.linked(_person(request))]
        return Response({"results": LinkedAccountOut(rows, many=True).data})


class LinkedAccountView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="linked_accounts_unlink", responses={204: None})
    def delete(self, request: Request, account_id: int) -> Response:
        """Unlink an account; the last way to sign in stays."""
        account = SocialAccount.objects.filter(pk=account_id, user=_person(request)).first()
        if account is None:
            raise not_found()
        try:
            linking.unlink(_at_a_browser(request), _person(request), account)
        except methods.LastMethod:
            raise _last() from None
        return Response(status=status.HTTP_204_NO_CONTENT)


# ---------------------------------------------------------------- sessions
class SessionsView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="sessions_list", responses=SessionList)
    def get(self, request: Request) -> Response:
        """Where you are signed in: this session first, then the newest."""
        return Response({"results": SessionOut(sessions.living(_person(request)), many=True).data})

    @extend_schema(operation_id="sessions_end_others", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out everywhere but here; asked with an API token, everywhere."""
        sessions.end_others(cast("HttpRequest", request), _person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="sessions_end", responses={204: None})
    def delete(self, request: Request, session_id: int) -> Response:
        """Sign out of one session. What it has open closes within five seconds."""
        sessions.end(cast("HttpRequest", request), _person(request), session_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


# ---------------------------------------------------------------- API tokens
class TokensView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="api_tokens_list", responses=TokenList)
    def get(self, request: Request) -> Response:
        """Your API tokens in this workspace, newest first."""
        actor = actor_of(request)
        rows = ApiToken.objects.filter(user_id=actor.user_id, workspace_id=actor.workspace_id)
        return Response({"results": TokenOut(rows.order_by("-created_at"), many=True).data})

    @extend_schema(operation_id="api_tokens_create", request=TokenIn, responses={201: TokenMade})
    def post(self, request: Request) -> Response:
        """Make an API token for this workspace. Its text is in this answer and in no other."""
        actor, wanted = actor_of(request), given(TokenIn, request)
        _at_a_browser(request)
        workspace = Workspace.objects.get(pk=actor.workspace_id)
        token, plain = tokens.mint(_person(request), workspace, **wanted)
        return Response(TokenOut(token).data | {"token": plain}, status=status.HTTP_201_CREATED)


class TokenView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="api_tokens_revoke", responses={204: None})
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke an API token, this one included. It stops working at once."""
        actor = actor_of(request)
        token = ApiToken.objects.filter(pk=token_id, user_id=actor.user_id, workspace_id=actor.workspace_id).first()
        if token is None:
            raise not_found()
        tokens.revoke(token, by=token.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
