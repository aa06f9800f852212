"""The aliases and the allow and deny rules of a workspace."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from catalog import naming, rules
from catalog.api.models import AliasOut, alias_row
from catalog.models import ModelAlias, Rule


class AliasIn(serializers.Serializer[Any]):
    """A name and the key of the model it stands for; a name that is there gets the new target."""

    name = serializers.CharField(max_length=naming.LONGEST)
    target = serializers.CharField(max_length=naming.LONGEST)
    reason = serializers.CharField(max_length=200)


class AliasList(serializers.Serializer[Any]):
    """The workspace's aliases and the installation's."""

    results = AliasOut(many=True)


class RuleRow(serializers.ModelSerializer[Rule]):
    """One rule. What is empty matches everything; `*` in `model_pattern` stands for any characters."""

    class Meta:
        model = Rule
        fields = (
            "id",
            "effect",
            "provider_id",
            "model_pattern",
            "context",
            "role",
            "credential_source",
            "reason",
            "created_at",
        )
        read_only_fields = ("id", "created_at")


class RuleList(serializers.Serializer[Any]):
    """The workspace's rules. Deny wins; as soon as one allows, what none allows is denied."""

    results = RuleRow(many=True)


class AliasesView(APIView):
    @property
    def scope(self) -> str:
        return "models" if self.request.method == "GET" else "policy"

    @extend_schema(operation_id="aliases_list", responses=AliasList)
    def get(self, request: Request) -> Response:
        """Other names of models, usable wherever a model is named."""
        found = ModelAlias.objects.visible_to(actor_of(request)).select_related("target")
        return Response({"results": [alias_row(one) for one in found]})

    @extend_schema(operation_id="aliases_create", request=AliasIn, responses={201: AliasOut})
    def post(self, request: Request) -> Response:
        """Give a model another name in this workspace. For its administrators."""
        given = AliasIn(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(alias_row(naming.create(actor_of(request), **given.validated_data)), status=201)


class AliasView(APIView):
    scope = "policy"

    @extend_schema(operation_id="aliases_remove", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Take a name of this workspace away. For its administrators."""
        naming.remove(actor_of(request), pk)
        return Response(status=204)


class RulesView(APIView):
    @property
    def scope(self) -> str:
        return "models" if self.request.method == "GET" else "policy"

    @extend_schema(operation_id="rules_list", responses=RuleList)
    def get(self, request: Request) -> Response:
        """Which models this workspace allows and denies, to whom and where."""
        found = Rule.objects.visible_to(actor_of(request))
        return Response({"results": RuleRow(found, many=True).data})

    @extend_schema(operation_id="rules_create", request=RuleRow, responses={201: RuleRow})
    def post(self, request: Request) -> Response:
        """Allow or deny. For administrators of the workspace; it holds from the next request on."""
        given = RuleRow(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(RuleRow(rules.create(actor_of(request), given.validated_data)).data, status=201)


class RuleView(APIView):
    scope = "policy"

    @extend_schema(operation_id="rules_remove", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Take a rule away. For administrators of the workspace."""
        rules.remove(actor_of(request), pk)
        return Response(status=204)
