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
from catalog.models import Context, Limit, Rule
from catalog.routing import RoutingRequest, plan
from chat.limits import ANSWER_TOKENS, foreseen
from chat.serializers import valid
from chat.usage_api import RemainingOut
from providers import session_keeping
from providers.errors import ErrorCode


class ExplainIn(serializers.Serializer[Any]):
    """A request that is not sent. `model` is a model's key or an alias, by default the one that would answer."""

    context = serializers.ChoiceField(choices=Context.choices, default=Context.CHAT.value)  # type: ignore[assignment]
    model = serializers.CharField(required=False, allow_blank=True, max_length=201, default="")
    sticky = serializers.CharField(
        required=False, allow_blank=True, max_length=201, default="", help_text="The model that a conversation holds."
    )
    credential = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=80,
        default="",
        help_text="The id of a credential to use, or its reference, where the workspace allows that.",
    )
    needs = serializers.ListField(
        child=serializers.ChoiceField(choices=ABILITIES),
        default=list,
        help_text="What the model must be known to be able to do.",
    )
    tokens = serializers.IntegerField(
        min_value=0,
        max_value=10**9,
        default=0,
        help_text=f"What the request sends; for its answer {ANSWER_TOKENS:,} more are counted. For limits of tokens.",
    )


class CredentialStep(serializers.Serializer[Any]):
    """A credential that was looked at. Without `ref` there is none at this source."""

    source = serializers.CharField(  # type: ignore[assignment]
        help_text="`request` for the one that the request names; `of` then says whose."
    )
    verdict = serializers.CharField()
    words = serializers.CharField(help_text="Both as a sentence.")
    ref = serializers.CharField(required=False)
    of = serializers.CharField(required=False)
    hint = serializers.CharField(required=False)
    kind = serializers.CharField(required=False)
    state = serializers.CharField(required=False)
    account = serializers.CharField(required=False)
    fallback_applied = serializers.BooleanField(required=False)
    reason = serializers.CharField(required=False, help_text="Why a key stands in for a session.")


class AttemptOut(serializers.Serializer[Any]):
    """One model that may answer; the second and third only when those before could not be reached."""

    provider_id = serializers.CharField()
    model_id = serializers.CharField()
    credential_ref = serializers.CharField(help_text="Names a credential; it opens nothing.")
    credential_source = serializers.ChoiceField(choices=Rule.Source.choices)
    credential_hint = serializers.CharField()
    credential_kind = serializers.ChoiceField(choices=["api_key", "session"])
    backup_ref = serializers.CharField(
        allow_blank=True, help_text="The key of the same owner that stands in when the session fails."
    )
    backup_hint = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(
        help_text="What proposed it: `request`, `conversation`, a level of the defaults, `fallback`, …"
    )
    tools = serializers.BooleanField(help_text="Whether the model is known to take tools; else none are sent to it.")


class CandidateOut(serializers.Serializer[Any]):
    model = serializers.CharField()
    why = serializers.CharField()
    verdict = serializers.CharField(
        help_text="`chosen`, or why not: `unknown`, `vanished`, `no_credential`, `session_expired`, "
        "`invalid_auth`, `policy_denied`, `lacks_…`, "
        "`repeated`, `other_side`, `not_needed`."
    )


class AliasStep(serializers.Serializer[Any]):
    """The name that was given stood for a model."""

    name = serializers.CharField()
    target = serializers.CharField()
    scope = serializers.ChoiceField(choices=["workspace", "installation"])
    reason = serializers.CharField()
    since = serializers.DateField()


class ReachedOut(serializers.Serializer[Any]):
    """The limit that a run would be refused for."""

    measure = serializers.ChoiceField(choices=Limit.Measure.choices)
    period = serializers.ChoiceField(choices=Limit.Period.choices)
    hard = serializers.IntegerField()
    used = serializers.IntegerField()
    resets_at = serializers.DateTimeField()
    retry_after = serializers.IntegerField(help_text="Seconds until counting begins anew.")


class PlanOut(serializers.Serializer[Any]):
    """Where a request would go and why: either `attempts` or an `error` with its `message`."""

    requested = serializers.CharField(allow_blank=True)
    context = serializers.ChoiceField(choices=Context.choices)  # type: ignore[assignment]
    error = serializers.ChoiceField(choices=[code.value for code in ErrorCode], allow_null=True)
    message = serializers.CharField(allow_blank=True)
    alias = AliasStep(required=False, help_text="There only when an alias was named.")
    attempts = AttemptOut(many=True)
    candidates = CandidateOut(many=True)
    credentials = CredentialStep(many=True, help_text="Those looked at for the first attempt, with a verdict each.")
    because = serializers.CharField(allow_blank=True, help_text="The credential that is used and why, a sentence.")
    limit = ReachedOut(required=False, help_text="There only when a limit is what refuses it.")
    limits = RemainingOut(many=True, help_text="What the limits leave that a request to the first attempt counts for.")
    omitted = serializers.IntegerField(required=False, help_text="How many more candidates were looked at.")


class ExplainView(APIView):
    scope = "models"

    @extend_schema(operation_id="routing_explain", request=ExplainIn, responses=PlanOut)
    def post(self, request: Request) -> Response:
        """The plan that a run of yours would follow at this moment, and what limits leave it. No provider is asked, and
        nothing is counted."""
        found = valid(ExplainIn(data=request.data))
        wanted = RoutingRequest(found["context"], found["model"], found["sticky"], frozenset(found["needs"]))
        actor = actor_of(request)
        named = session_keeping.reference(actor, found["credential"]) if found["credential"] else None
        where, standings = foreseen(actor, plan(wanted, facts_for(actor, named)), found["tokens"])
        return Response(where.as_json() | {"limits": RemainingOut(standings, many=True).data})
