"""What a member may use, and which rule says so."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from catalog import access
from catalog.models import Context, Rule


class AccessIn(serializers.Serializer[Any]):
    member = serializers.UUIDField(
        allow_null=True, default=None, help_text="A person's id; left out, yourself. Another for administrators only."
    )
    context = serializers.ChoiceField(choices=Context.choices, default=Context.CHAT.value)  # type: ignore[assignment]
    q = serializers.CharField(
        max_length=200, default="", allow_blank=True, help_text="Words that the model's key or label holds."
    )


class AccessRow(serializers.Serializer[Any]):
    """`allowed` is what the rules say; `verdict` is what a request would meet, `chosen` when it would go out."""

    model = serializers.CharField(source="model.key")
    allowed = serializers.BooleanField()
    verdict = serializers.CharField(help_text="`chosen`, `policy_denied`, `no_credential`, `vanished`.")
    decided_by = serializers.CharField(
        help_text="`rule:<id>`; `not_allowed`: rules allow others only; `no_rule`: nothing forbids it."
    )
    why = serializers.CharField()
    credential_source = serializers.ChoiceField(
        choices=Rule.Source.choices, source="source", allow_blank=True, help_text="Empty without a credential."
    )


class AccessList(serializers.Serializer[Any]):
    member = serializers.UUIDField()
    context = serializers.ChoiceField(choices=Context.choices)  # type: ignore[assignment]
    results = AccessRow(many=True)


class AccessView(APIView):
    scope = "models"

    @extend_schema(operation_id="access_list", parameters=[AccessIn], responses=AccessList)
    def get(self, request: Request) -> Response:
        """Which models you, or for an administrator any member, may use in a context, and the rule that decides."""
        asked = AccessIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = asked.validated_data
        whose = access.member(actor_of(request), found["member"])
        rows = AccessRow(access.of(whose, found["context"], found["q"]), many=True).data
        return Response({"member": whose.user_id, "context": found["context"], "results": rows})
