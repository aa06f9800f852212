"""Drills under /api/v1/, for administrators: start one, read what it found, stop it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from providers import policies
from providers.drills import running
from providers.drills.bed import PROVIDERS
from providers.models import Drill


class DrillIn(serializers.Serializer[Any]):
    """Which provider fails, how, and under how many streams at once."""

    provider_id = serializers.ChoiceField(choices=PROVIDERS)
    kind = serializers.ChoiceField(choices=Drill.Kind.choices)
    streams = serializers.IntegerField(
        min_value=running.FEWEST_STREAMS, max_value=running.MOST_STREAMS, default=running.STREAMS
    )


class DrillOut(serializers.ModelSerializer[Drill]):
    """A drill. `report` grows while it runs: `steps`, `expectations` (each with `wanted`, `measured`, `passed`),
    `first_token` (milliseconds of every other provider, without and with the fault) and `streams`."""

    seconds = serializers.IntegerField(allow_null=True, read_only=True, help_text="How long it took.")
    report = serializers.DictField(read_only=True)

    class Meta:
        model = Drill
        fields = [
            "id",
            "provider_id",
            "kind",
            "streams",
            "state",
            "problem",
            "created_at",
            "ended_at",
            "seconds",
            "report",
        ]
        read_only_fields = fields


class DrillsView(generics.ListAPIView[Drill]):
    scope = "credentials"
    serializer_class = DrillOut
    queryset = Drill.objects.none()

    def get_queryset(self) -> QuerySet[Drill]:
        actor = actor_of(self.request)
        policies.require_drills(actor)
        running.close_lost()
        return running.visible(actor)

    @extend_schema(operation_id="drills_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The drills of your workspace, newest first."""
        return self.list(request, *args, **kwargs)

    @extend_schema(operation_id="drills_start", request=DrillIn, responses={202: DrillOut})
    def post(self, request: Request) -> Response:
        """Start a drill. It meets no vendor and no credential; one runs at a time, ten an hour."""
        given = DrillIn(data=request.data)
        given.is_valid(raise_exception=True)
        row = running.start(actor_of(request), **given.validated_data)
        return Response(DrillOut(row).data, status=status.HTTP_202_ACCEPTED)


class DrillView(APIView):
    scope = "credentials"

    @extend_schema(operation_id="drills_read", responses=DrillOut)
    def get(self, request: Request, drill_id: UUID) -> Response:
        """One drill, with its report as far as it is."""
        return Response(DrillOut(running.seen(actor_of(request), drill_id)).data)


class DrillStopView(APIView):
    scope = "credentials"

    @extend_schema(operation_id="drills_stop", request=None, responses={202: DrillOut})
    def post(self, request: Request, drill_id: UUID) -> Response:
        """Ask a running drill to end; it is `stopped` within seconds. One that has ended stays as it is."""
        row = running.stop(actor_of(request), drill_id)
        return Response(DrillOut(row).data, status=status.HTTP_202_ACCEPTED)
