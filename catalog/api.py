"""The catalog under /api/v1/: which models there are, what they can do and whether this person can use them."""

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
        child=serializers.ChoiceField(choices=Context.values),
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
        facts = facts_for(actor_of(request))
        contexts = default_contexts(facts)
        return Response({"results": [row(model, facts, contexts) for model in facts.models.values()]})


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
