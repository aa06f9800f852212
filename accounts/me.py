"""The API's answer to "who am I here", and what its OpenAPI document says of tokens."""

from typing import Any, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.api import ANY_SCOPE, TokenAuthentication
from accounts.models import Role, User, Workspace
from accounts.policies import SCOPES


class TokenScheme(OpenApiAuthenticationExtension):
    """What the OpenAPI document says of it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        scopes = "; ".join(f"{scope}: {meaning.lower()}" for scope, meaning in SCOPES.items())
        return {"type": "http", "scheme": "bearer", "description": f"An API token. Scopes: {scopes}."}


class WorkspaceOut(serializers.ModelSerializer[Workspace]):
    class Meta:
        model = Workspace
        fields = ("id", "name")


class MeOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    workspace = WorkspaceOut()
    role = serializers.ChoiceField(choices=Role.choices)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(SCOPES)))


class MeView(APIView):
    """Who you are here, in which workspace, and what your credentials allow."""

    scope = ANY_SCOPE
    serializer_class = MeOut

    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        user = cast("User", request.user)
        me = {
            "id": user.pk,
            "email": user.email,
            "name": user.get_full_name(),
            "workspace": Workspace.objects.get(pk=actor.workspace_id),
            "role": actor.role,
            "scopes": sorted(actor.scopes),
        }
        return Response(MeOut(me).data)
