"""The limits of a workspace; what remains of them for a member is `chat.usage_api`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.models import User
from catalog import limits
from catalog.models import Limit

MOST = 10**12


class LimitRow(serializers.ModelSerializer[Limit]):
    """What one member may use in a period. `member` is a person's id, null for each member by themselves; what is empty
    matches everything; `*` in `model_pattern` stands for any characters. From `soft` on the member is told what is
    left, beyond `hard` nothing starts; one of the two is there."""

    member = serializers.PrimaryKeyRelatedField(
        source="user", queryset=User.objects.none(), pk_field=serializers.UUIDField(), allow_null=True, default=None
    )
    soft = serializers.IntegerField(min_value=1, max_value=MOST, allow_null=True, default=None)
    hard = serializers.IntegerField(min_value=1, max_value=MOST, allow_null=True, default=None)

    class Meta:
        model = Limit
        fields = ("id", "member", "provider_id", "model_pattern", "measure", "period", "soft", "hard", "created_at")
        read_only_fields = ("id", "created_at")


class LimitList(serializers.Serializer[Any]):
    """For an administrator all of the workspace's limits, for a member those that hold for them."""

    results = LimitRow(many=True)


class LimitsView(APIView):
    @property
    def scope(self) -> str:
        return "models" if self.request.method == "GET" else "policy"

    @extend_schema(operation_id="limits_list", responses=LimitList)
    def get(self, request: Request) -> Response:
        """How much the members of this workspace may use."""
        return Response({"results": LimitRow(Limit.objects.visible_to(actor_of(request)), many=True).data})

    @extend_schema(operation_id="limits_create", request=LimitRow, responses={201: LimitRow})
    def post(self, request: Request) -> Response:
        """Limit what members use. For administrators; it holds from the next request on, and what was used in the
        period before counts."""
        actor = actor_of(request)
        given = LimitRow(data=request.data)
        mates: Any = given.fields["member"]
        mates.queryset = User.objects.filter(memberships__workspace_id=actor.workspace_id)
        given.is_valid(raise_exception=True)
        return Response(LimitRow(limits.create(actor, given.validated_data)).data, status=201)


class LimitView(APIView):
    scope = "policy"

    @extend_schema(operation_id="limits_remove", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Take a limit away. For administrators of the workspace."""
        limits.remove(actor_of(request), pk)
        return Response(status=204)
