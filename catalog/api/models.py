"""The catalog under /api/v1/: which models there are, what they can do and who says so, and whether this person can
use them."""

import json
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.actors import actor_of
from catalog import describing
from catalog.choices import default_contexts, unavailable
from catalog.evidence import SOURCES
from catalog.facts import Facts, facts_for
from catalog.models import Context, LanguageModel, ModelAlias, Rule

# Half a megabyte each, with a catalog of five hundred models.
MOST_CASES = 16
STATES = ("supported", "partial", "unsupported", "unknown")


class CapabilityOut(serializers.Serializer[Any]):
    """One ability. Where a request needs it, only `supported` and `partial` will do."""

    state = serializers.ChoiceField(choices=STATES)
    source = serializers.ChoiceField(choices=SOURCES, allow_blank=True)  # type: ignore[assignment]
    on = serializers.CharField(allow_blank=True, help_text="The day it was first said, an ISO date.")
    limits = serializers.CharField(allow_blank=True, help_text="What does not work, where it is `partial`.")


class CapabilitiesOut(serializers.Serializer[Any]):
    """What the model can do, each with who says so and since when."""

    tools = CapabilityOut()
    streaming = CapabilityOut()
    vision = CapabilityOut()
    documents = CapabilityOut()
    reasoning = CapabilityOut()
    structured = CapabilityOut()
    temperature = CapabilityOut()


class PriceOut(serializers.Serializer[Any]):
    """A list price. The one with the latest `valid_from` that is not after a run's day is the run's."""

    valid_from = serializers.DateField(allow_null=True, help_text="Null is since ever.")
    input = serializers.CharField(help_text="Decimal.")
    output = serializers.CharField(help_text="Decimal.")
    cached = serializers.CharField(
        allow_null=True, help_text="Decimal, for input that comes from the provider's cache."
    )
    currency = serializers.CharField()
    per_tokens = serializers.IntegerField()


class ModelOut(serializers.Serializer[Any]):
    """One model. An ability that is null is unknown, never no."""

    key = serializers.CharField(help_text="`provider/model_id`, the name to use in requests.")
    provider_id = serializers.CharField()
    model_id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    reasoning_tier = serializers.CharField(
        allow_blank=True, help_text="`none`, `standard`, `extended`, or empty when it is not known."
    )
    reasoning_efforts = serializers.ListField(child=serializers.CharField(), help_text="From the least to the most.")
    supports_tools = serializers.BooleanField(allow_null=True)
    supports_streaming = serializers.BooleanField(allow_null=True)
    supports_vision = serializers.BooleanField(allow_null=True)
    supports_documents = serializers.BooleanField(allow_null=True)
    supports_reasoning = serializers.BooleanField(allow_null=True)
    supports_structured = serializers.BooleanField(allow_null=True)
    supports_temperature = serializers.BooleanField(allow_null=True)
    capabilities = CapabilitiesOut()
    context_window = serializers.IntegerField(allow_null=True)
    max_output_tokens = serializers.IntegerField(allow_null=True)
    prices = PriceOut(many=True)
    evidence = serializers.DictField(
        child=serializers.DictField(),
        help_text="Of the other facts (`context_window`, `max_output_tokens`, `prices`, `efforts`, `retires_at`, "
        "`successor`): the `source`, and the day `on` which it was first said.",
    )
    lifecycle = serializers.ChoiceField(choices=LanguageModel.Lifecycle.values)
    retires_at = serializers.DateTimeField(allow_null=True)
    successor = serializers.CharField(
        allow_blank=True, help_text="The model that is meant to follow; no request goes there by itself."
    )
    sandbox = serializers.BooleanField(help_text="Answered by the development sandbox, not by a vendor.")
    is_default = serializers.ListField(
        child=serializers.ChoiceField(choices=Context.choices),
        help_text="The contexts in which this model answers when you name none.",
    )
    available = serializers.BooleanField(help_text="Whether a request of yours that names it would go out.")
    reason = serializers.CharField(allow_blank=True, help_text="Why not: `no_credential`, `vanished`, `policy_denied`.")
    credential_source = serializers.ChoiceField(choices=Rule.Source.choices, allow_blank=True)


class AliasOut(serializers.Serializer[Any]):
    """Another name that requests may use."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    target = serializers.CharField(help_text="The key of the model that answers.")
    reason = serializers.CharField()
    scope = serializers.ChoiceField(choices=["workspace", "installation"])
    created_at = serializers.DateTimeField()


class ModelList(serializers.Serializer[Any]):
    """All models and their aliases; the list is not cut into pages."""

    results = ModelOut(many=True)
    aliases = AliasOut(many=True)


class ModelsView(APIView):
    scope = "models"

    @extend_schema(operation_id="models_list", responses=ModelList)
    def get(self, request: Request) -> HttpResponse:
        """The catalog, from memory and the database alone: no provider is asked."""
        facts = facts_for(actor_of(request))
        named = json.dumps([alias_row(one) for one in facts.aliases.values()]).encode()
        # Put together from text that is kept: a serialiser costs more than all the queries.
        body = b"".join((b'{"results":[', _lines(facts), b'],"aliases":', named, b"}"))
        return HttpResponse(body, content_type="application/json")


def _lines(facts: Facts) -> bytes:
    """All models for this person; who is in the same case gets the same bytes."""
    contexts = default_contexts(facts)
    case = _case(facts, contexts)
    found = facts.written.get(case)
    if found is None:
        found = ",".join(_line(row, facts, contexts) for row in facts.models.values()).encode()
        if len(facts.written) >= MOST_CASES:
            facts.written.clear()
        facts.written[case] = found
    return found


def _case(facts: Facts, contexts: dict[str, list[str]]) -> tuple[Any, ...]:
    """All that a line says beside its row: which providers this person reaches, what a request to each would meet and
    whose key it would take, the defaults, and, where the workspace has rules, who it is."""
    sides: dict[tuple[str, bool], tuple[str, str]] = {}
    for row in facts.models.values():
        side = (row.provider_id, row.sandbox)
        if side not in sides and not row.vanished:
            chosen = facts.resolution(row).chosen
            sides[side] = (unavailable(row, facts), chosen.source if chosen else "")
    actor = facts.actor
    who = (actor.workspace_id, actor.user_id, actor.role) if facts.rules else None
    reached = frozenset((one.provider_id, one.sandbox) for one in facts.descriptors)
    defaults = tuple((key, *found) for key, found in contexts.items())
    return (reached, tuple(sides.items()), defaults, who)


def _line(row: LanguageModel, facts: Facts, contexts: dict[str, list[str]]) -> str:
    reason = unavailable(row, facts)
    chosen = facts.resolution(row).chosen
    source = chosen.source if chosen and not reason else ""
    available = "false" if reason else "true"
    default = json.dumps(contexts[row.key]) if row.key in contexts else "[]"
    mine = f'"is_default":{default},"available":{available},"reason":"{reason}","credential_source":"{source}"'
    return f"{describing.text(row)},{mine}}}"


def alias_row(row: ModelAlias) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "target": row.target.key,
        "reason": row.reason,
        "scope": row.scope,
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
    }
