"""Asking where a request would go, without sending it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from catalog.evidence import ABILITIES
from catalog.facts import facts_for
from catalog.models import Context, Rule
from catalog.routing import RoutingRequest, plan
from providers.errors import ErrorCode


class ExplainIn(serializers.Serializer[Any]):
    """A request that is not sent. `model` is a model's key or an alias, by default the one that would answer."""

    context = serializers.ChoiceField(choices=Context.choices, default=Context.CHAT.value)  # type: ignore[assignment]
    model = serializers.CharField(required=False, allow_blank=True, max_length=201, default="")
    sticky = serializers.CharField(
        required=False, allow_blank=True, max_length=201, default="", help_text="The model that a conversation holds."
    )
    needs = serializers.ListField(
        child=serializers.ChoiceField(choices=ABILITIES),
        default=list,
        help_text="What the model must be known to be able to do.",
    )


class AttemptOut(serializers.Serializer[Any]):
    """One model that may answer; the second and third only when those before could not be reached."""

    provider_id = serializers.CharField()
    model_id = serializers.CharField()
    credential_ref = serializers.CharField(help_text="Names a credential; it opens nothing.")
    credential_source = serializers.ChoiceField(choices=Rule.Source.choices)
    credential_hint = serializers.CharField()
    reason = serializers.CharField(
        help_text="What proposed it: `request`, `conversation`, a level of the defaults, `fallback`, …"
    )
    tools = serializers.BooleanField(help_text="Whether the model is known to take tools; else none are sent to it.")


class CandidateOut(serializers.Serializer[Any]):
    model = serializers.CharField()
    why = serializers.CharField()
    verdict = serializers.CharField(
        help_text="`chosen`, or why not: `unknown`, `vanished`, `no_credential`, `policy_denied`, `lacks_…`, "
        "`repeated`, `other_side`, `not_needed`."
    )


class AliasStep(serializers.Serializer[Any]):
    """The name that was given stood for a model."""

    name = serializers.CharField()
    target = serializers.CharField()
    scope = serializers.ChoiceField(choices=["workspace", "installation"])
    reason = serializers.CharField()
    since = serializers.DateField()


class PlanOut(serializers.Serializer[Any]):
    """Where a request would go and why: either `attempts` or an `error` with its `message`."""

    requested = serializers.CharField(allow_blank=True)
    context = serializers.ChoiceField(choices=Context.choices)  # type: ignore[assignment]
    error = serializers.ChoiceField(choices=[code.value for code in ErrorCode], allow_null=True)
    message = serializers.CharField(allow_blank=True)
    alias = AliasStep(required=False, help_text="There only when an alias was named.")
    attempts = AttemptOut(many=True)
    candidates = CandidateOut(many=True)
    credentials = serializers.ListField(
        child=serializers.DictField(), help_text="The credentials looked at for the first attempt, with a verdict each."
    )
    omitted = serializers.IntegerField(required=False, help_text="How many more candidates were looked at.")


class ExplainView(APIView):
    scope = "models"

    @extend_schema(operation_id="routing_explain", request=ExplainIn, responses=PlanOut)
    def post(self, request: Request) -> Response:
        """The plan that a run of yours would follow at this moment. No provider is asked."""
        asked = ExplainIn(data=request.data)
        asked.is_valid(raise_exception=True)
        found = asked.validated_data
        wanted = RoutingRequest(found["context"], found["model"], found["sticky"], frozenset(found["needs"]))
        return Response(plan(wanted, facts_for(actor_of(request))).as_json())
