"""Models that are leaving: what of the workspace names them, and moving it to another model."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.policies import Actor
from catalog import moving
from catalog.models import ModelMigration


class AffectedOut(serializers.Serializer[Any]):
    """A model that is leaving, and how much in this workspace names it."""

    key = serializers.CharField()
    lifecycle = serializers.CharField()
    retires_at = serializers.DateTimeField(allow_null=True)
    successor = serializers.CharField(allow_blank=True)
    affected = serializers.DictField(
        child=serializers.IntegerField(), help_text="By place, `conversations` for example."
    )


class AffectedList(serializers.Serializer[Any]):
    """Only models that something names."""

    results = AffectedOut(many=True)


class MigrationIn(serializers.Serializer[Any]):
    """Move whatever in this workspace names the one model to the other one."""

    from_model = serializers.CharField(max_length=201)
    to_model = serializers.CharField(max_length=201)


class MigrationOut(serializers.ModelSerializer[ModelMigration]):
    """A move that was made. `counts` says by place how much; answers and traces are never touched."""

    counts = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = ModelMigration
        fields = ("id", "from_model", "to_model", "made_by", "made_at", "counts", "undone_at", "undone_by")


class MigrationList(serializers.Serializer[Any]):
    """Newest first."""

    results = MigrationOut(many=True)


class AffectedView(APIView):
    scope = "policy"

    @extend_schema(operation_id="models_leaving", responses=AffectedList)
    def get(self, request: Request) -> Response:
        """Models that retire or are no longer listed, with what names them here. For administrators."""
        found = moving.leaving(actor_of(request))
        return Response(AffectedList({"results": found}).data)


class MigrationsView(APIView):
    scope = "policy"

    @extend_schema(operation_id="model_migrations_list", responses=MigrationList)
    def get(self, request: Request) -> Response:
        """The moves that were made in this workspace. For administrators."""
        found = moving.made(actor_of(request))
        return Response({"results": MigrationOut(found, many=True).data})

    @extend_schema(operation_id="model_migrations_create", request=MigrationIn, responses={201: MigrationOut})
    def post(self, request: Request) -> Response:
        """Move the workspace's conversations and defaults from one model to another one. For administrators."""
        given = MigrationIn(data=request.data)
        given.is_valid(raise_exception=True)
        actor: Actor = actor_of(request)
        return Response(MigrationOut(moving.move(actor, **given.validated_data)).data, status=201)


class UndoView(APIView):
    scope = "policy"

    @extend_schema(operation_id="model_migrations_undo", request=None, responses=MigrationOut)
    def post(self, request: Request, pk: int) -> Response:
        """Take a move back, where nobody has chosen anew since. For administrators."""
        return Response(MigrationOut(moving.take_back(actor_of(request), pk)).data)
