"""Reading and setting which model answers when nobody names one."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.policies import Actor
from catalog import defaults
from catalog.models import Context


class StandingOut(serializers.Serializer[Any]):
    """One context. Keys of models, empty where nothing is set."""

    context = serializers.ChoiceField(choices=Context.choices)  # type: ignore[assignment]
    own = serializers.CharField(allow_blank=True)
    workspace = serializers.CharField(allow_blank=True)
    installation = serializers.CharField(allow_blank=True)
    answers = serializers.CharField(allow_blank=True, help_text="What a request that names no model goes to now.")
    level = serializers.CharField(allow_blank=True, help_text="What chose it; `preference` when no default answers.")
    otherwise = serializers.CharField(allow_blank=True, help_text="What it would be without your own default.")


class DefaultsOut(serializers.Serializer[Any]):
    """Your defaults by context."""

    results = StandingOut(many=True)


class DefaultIn(serializers.Serializer[Any]):
    """The model's key; empty takes the default away."""

    model = serializers.CharField(allow_blank=True, max_length=201)


class DefaultsView(APIView):
    scope = "models"

    @extend_schema(operation_id="defaults_list", responses=DefaultsOut)
    def get(self, request: Request) -> Response:
        """Which model answers in each context when you name none, and why."""
        return _listed(actor_of(request))


class OwnDefaultView(APIView):
    scope = "policy"

    @extend_schema(operation_id="defaults_set_own", request=DefaultIn, responses=DefaultsOut)
    def put(self, request: Request, context: str) -> Response:
        """Set your own default in this workspace."""
        actor = actor_of(request)
        defaults.set_own(actor, context, _model(request))
        return _listed(actor)


class WorkspaceDefaultView(APIView):
    scope = "policy"

    @extend_schema(operation_id="defaults_set_workspace", request=DefaultIn, responses=DefaultsOut)
    def put(self, request: Request, context: str) -> Response:
        """Set the workspace's default. For its administrators."""
        actor = actor_of(request)
        defaults.set_workspace(actor, context, _model(request))
        return _listed(actor)


def _model(request: Request) -> str:
    given = DefaultIn(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["model"])


def _listed(actor: Actor) -> Response:
    return Response(DefaultsOut({"results": defaults.overview(actor)}).data)
