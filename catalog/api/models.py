"""The catalog under /api/v1/: which models there are, what they can do, whether this person can use them, and where
a request would go."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from catalog.choices import default_contexts, unavailable
from catalog.facts import Facts, facts_for
from catalog.models import Context, LanguageModel
from catalog.routing import RoutingRequest, plan
from providers.errors import ErrorCode
from providers.resolution import ORDER

ABILITIES = ("tools", "streaming", "vision", "reasoning", "structured")


class ModelOut(serializers.Serializer[Any]):
    """One model. An ability that is null is unknown, never no."""

    key = serializers.CharField(help_text="`provider/model_id`, the name to use in requests.")
    provider_id = serializers.CharField()
    model_id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    reasoning_tier = serializers.CharField(allow_blank=True)
    supports_tools = serializers.BooleanField(allow_null=True)
    supports_streaming = serializers.BooleanField(allow_null=True)
    supports_vision = serializers.BooleanField(allow_null=True)
    supports_reasoning = serializers.BooleanField(allow_null=True)
    supports_structured = serializers.BooleanField(allow_null=True)
    context_window = serializers.IntegerField(allow_null=True)
    max_output_tokens = serializers.IntegerField(allow_null=True)
    lifecycle = serializers.ChoiceField(choices=LanguageModel.Lifecycle.values)
    retires_at = serializers.DateTimeField(allow_null=True)
    sandbox = serializers.BooleanField(help_text="Answered by the development sandbox, not by a vendor.")
    is_default = serializers.ListField(
        child=serializers.ChoiceField(choices=Context.choices),
        help_text="The contexts in which this model answers when you name none.",
    )
    available = serializers.BooleanField(help_text="Whether a request of yours that names it would go out.")
    reason = serializers.CharField(allow_blank=True, help_text="Why not: `no_credential`, `vanished`, `policy_denied`.")
    credential_source = serializers.ChoiceField(choices=ORDER, allow_blank=True)


class ModelList(serializers.Serializer[Any]):
    """All models; the list is not cut into pages."""

    results = ModelOut(many=True)


class ModelsView(APIView):
    scope = "models"

    @extend_schema(operation_id="models_list", responses=ModelList)
    def get(self, request: Request) -> Response:
        """The catalog, from the database alone: no provider is asked."""
        facts = facts_for(actor_of(request), chains=False)
        contexts = default_contexts(facts)
        return Response({"results": [row(model, facts, contexts) for model in facts.models.values()]})


class ExplainIn(serializers.Serializer[Any]):
    """A request that is not sent. `model` is a model's key, by default the one that would answer."""

    context = serializers.ChoiceField(choices=Context.choices, default=Context.CHAT.value)  # type: ignore[assignment]
    model = serializers.CharField(required=False, allow_blank=True, max_length=201, default="")
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
    credential_source = serializers.ChoiceField(choices=ORDER)
    credential_hint = serializers.CharField()
    reason = serializers.CharField(help_text="What proposed it: `request`, a level of the defaults, `fallback`, …")
    tools = serializers.BooleanField(help_text="Whether the model is known to take tools; else none are sent to it.")


class CandidateOut(serializers.Serializer[Any]):
    model = serializers.CharField()
    why = serializers.CharField()
    verdict = serializers.CharField(
        help_text="`chosen`, or why not: `unknown`, `vanished`, `no_credential`, `policy_denied`, `lacks_…`, "
        "`repeated`, `other_side`, `not_needed`."
    )


class PlanOut(serializers.Serializer[Any]):
    """Where a request would go and why: either `attempts` or an `error` with its `message`."""

    requested = serializers.CharField(allow_blank=True)
    context = serializers.ChoiceField(choices=Context.choices)  # type: ignore[assignment]
    error = serializers.ChoiceField(choices=[code.value for code in ErrorCode], allow_null=True)
    message = serializers.CharField(allow_blank=True)
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
        wanted = RoutingRequest(found["context"], requested=found["model"], needs=frozenset(found["needs"]))
        return Response(plan(wanted, facts_for(actor_of(request))).as_json())


def row(model: LanguageModel, facts: Facts, contexts: dict[str, list[str]]) -> dict[str, Any]:
    """One line of the list; built by hand because a serialiser costs more than the query."""
    reason = unavailable(model, facts)
    chosen = facts.resolution(model).chosen
    return {
        "key": model.key,
        "provider_id": model.provider_id,
        "model_id": model.model_id,
        "label": model.label,
        "reasoning_tier": model.reasoning_tier,
        **{f"supports_{ability}": getattr(model, f"supports_{ability}") for ability in ABILITIES},
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "lifecycle": model.lifecycle,
        "retires_at": model.retires_at,
        "sandbox": model.sandbox,
        "is_default": contexts.get(model.key, []),
        "available": not reason,
        "reason": reason,
        "credential_source": chosen.source if chosen and not reason else "",
    }
