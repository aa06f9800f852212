"""The specialists of a workspace under /api/v1/specialists/: members read them, administrators change them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from chat import specialists
from chat.models import Specialist
from chat.models.specialists import INSTRUCTION_CHARS, SLUG
from chat.serializers import MODEL_CHARS, valid


class SpecialistOut(serializers.ModelSerializer[Specialist]):
    """`model` is `provider/model_id`, empty for the default of orchestration; `slug` is how an orchestrator calls it:
    `delegate_<slug>`."""

    model = serializers.SerializerMethodField()
    tools = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Specialist
        fields = (
            "id", "name", "slug", "description", "instructions", "model", "tools", "enabled", "order", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_model(self, specialist: Specialist) -> str:
        return specialist.model.key if specialist.model else ""


class SpecialistIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60)
    slug = serializers.CharField(max_length=40, validators=[SLUG])
    description = serializers.CharField(max_length=300)
    instructions = serializers.CharField(
        max_length=INSTRUCTION_CHARS, allow_blank=True, trim_whitespace=False, required=False
    )
    model = serializers.CharField(max_length=MODEL_CHARS, allow_blank=True, required=False)
    tools = serializers.ListField(child=serializers.CharField(max_length=64), max_length=40, required=False)
    enabled = serializers.BooleanField(required=False)
    order = serializers.IntegerField(min_value=0, max_value=30_000, required=False)


@extend_schema_view(get=extend_schema(operation_id="specialists_list"))
class SpecialistsView(generics.ListAPIView[Specialist]):
    """Whom an orchestrator can delegate to; an administrator also sees those that are turned off."""

    scope = "chat"
    serializer_class = SpecialistOut
    page_order = "order"
    queryset = Specialist.objects.none()

    def get_queryset(self) -> QuerySet[Specialist]:
        return Specialist.objects.visible_to(actor_of(self.request)).select_related("model")

    @extend_schema(operation_id="specialists_create", request=SpecialistIn, responses={201: SpecialistOut})
    def post(self, request: Request) -> Response:
        """For administrators of the workspace."""
        made = specialists.create(actor_of(request), valid(SpecialistIn(data=request.data)))
        return Response(SpecialistOut(made).data, status=status.HTTP_201_CREATED)


class SpecialistView(APIView):
    scope = "chat"

    @extend_schema(operation_id="specialists_retrieve", responses=SpecialistOut)
    def get(self, request: Request, pk: UUID) -> Response:
        """One of them."""
        return Response(SpecialistOut(specialists.get(actor_of(request), pk)).data)

    @extend_schema(operation_id="specialists_update", request=SpecialistIn(partial=True), responses=SpecialistOut)
    def patch(self, request: Request, pk: UUID) -> Response:
        """For administrators of the workspace. A task that runs goes on as it began."""
        values = valid(SpecialistIn(data=request.data, partial=True))
        return Response(SpecialistOut(specialists.change(actor_of(request), pk, values)).data)

    @extend_schema(operation_id="specialists_delete", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """For administrators of the workspace. What it answered stays."""
        specialists.delete(actor_of(request), pk)
        return Response(status=status.HTTP_204_NO_CONTENT)
