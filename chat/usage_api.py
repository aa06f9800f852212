"""What was used, and what the limits leave, under /api/v1/."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.policies import require_administering
from catalog.models import Limit
from chat.limits import standings
from chat.models import UsageEntry
from chat.serializers import MODEL_CHARS, valid
from chat.spending import DAYS, MOST_DAYS, Line, Report, report


class UsageIn(serializers.Serializer[Any]):
    days = serializers.IntegerField(
        min_value=1, max_value=MOST_DAYS, default=DAYS, help_text="How many days, in UTC, with today."
    )


class AmountOut(serializers.Serializer[Any]):
    """`cost` is in US dollars by list price, null when nothing of it can be priced; `unpriced` counts the runs that are
    not in it, `uncounted` those whose tokens nobody counted."""

    runs = serializers.IntegerField()
    answers = serializers.IntegerField(help_text="The answers that somebody asked for and got.")
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    uncounted = serializers.IntegerField()
    cost = serializers.DecimalField(source="known_cost", max_digits=20, decimal_places=6, allow_null=True)
    unpriced = serializers.IntegerField()


class UsedOut(serializers.Serializer[Any]):
    """`key` is a day, a model's key, or a member's id (empty for somebody who has left)."""

    key = serializers.CharField()
    name = serializers.CharField()
    amount = AmountOut()


class UsageOut(serializers.Serializer[Any]):
    since = serializers.DateField()
    total = AmountOut()
    days = UsedOut(many=True)
    models = UsedOut(many=True)


class WorkspaceUsageOut(UsageOut):
    members = UsedOut(many=True)


class RemainingIn(serializers.Serializer[Any]):
    model = serializers.CharField(
        max_length=MODEL_CHARS, default="", allow_blank=True, help_text="Only what a request to this model counts for."
    )


class RemainingOut(serializers.Serializer[Any]):
    """`left` is null where nothing is refused; `near` says that it is time to tell a person."""

    limit = serializers.IntegerField(source="limit.pk", help_text="Its id under /api/v1/limits/.")
    measure = serializers.ChoiceField(choices=Limit.Measure.choices, source="limit.measure")
    period = serializers.ChoiceField(choices=Limit.Period.choices, source="limit.period")
    provider_id = serializers.CharField(source="limit.provider_id", allow_blank=True)
    model_pattern = serializers.CharField(source="limit.model_pattern", allow_blank=True)
    soft = serializers.IntegerField(source="limit.soft", allow_null=True)
    hard = serializers.IntegerField(source="limit.hard", allow_null=True)
    used = serializers.IntegerField(help_text="Tokens with those that running requests are expected to take.")
    left = serializers.IntegerField(allow_null=True)
    near = serializers.BooleanField()
    resets_at = serializers.DateTimeField()


class RemainingList(serializers.Serializer[Any]):
    results = RemainingOut(many=True)


class UsageView(APIView):
    scope = "chat"

    @extend_schema(operation_id="usage_retrieve", parameters=[UsageIn], responses=UsageOut)
    def get(self, request: Request) -> Response:
        """What your runs used in this workspace, by day and by model."""
        days = valid(UsageIn(data=request.query_params))["days"]
        return Response(UsageOut(_told(report(UsageEntry.objects.visible_to(actor_of(request)), days))).data)


class WorkspaceUsageView(APIView):
    scope = "workspace"

    @extend_schema(operation_id="usage_workspace", parameters=[UsageIn], responses=WorkspaceUsageOut)
    def get(self, request: Request) -> Response:
        """What everybody's runs used, by day, model and member. For administrators of the workspace."""
        actor = actor_of(request)
        require_administering(actor)
        days = valid(UsageIn(data=request.query_params))["days"]
        rows = UsageEntry.objects.filter(workspace_id=actor.workspace_id)
        return Response(WorkspaceUsageOut(_told(report(rows, days))).data)


class RemainingView(APIView):
    scope = "chat"

    @extend_schema(operation_id="limits_remaining", parameters=[RemainingIn], responses=RemainingList)
    def get(self, request: Request) -> Response:
        """What the limits of this workspace leave you, and when counting begins anew."""
        model = valid(RemainingIn(data=request.query_params))["model"]
        return Response({"results": RemainingOut(standings(actor_of(request), model), many=True).data})


def _told(found: Report) -> dict[str, Any]:
    def used(lines: tuple[Line, ...]) -> list[Line]:
        return [line for line in lines if line.amount.runs]

    return {
        "since": found.since,
        "total": found.total,
        "days": used(found.days),
        "models": used(found.models),
        "members": used(found.members),
    }
