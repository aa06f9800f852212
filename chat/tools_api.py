"""Tools under /api/v1/: which there are to choose from, and the results of those that the caller executes."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from chat.serializers import RunOut, valid
from chat.steps import MOST_CALLS
from chat.tools import sets, waiting
from chat.tools.waiting import Given


class ToolOut(serializers.Serializer[Any]):
    """`key` goes into `server_tools` of a run, or `tools` of a conversation; `chosen` says that a new conversation has
    it."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    hint = serializers.CharField()
    chosen = serializers.BooleanField()


class ResultIn(serializers.Serializer[Any]):
    tool_call_id = serializers.CharField(max_length=waiting.CALL_ID_CHARS)
    result = serializers.CharField(allow_blank=True, trim_whitespace=False)
    is_error = serializers.BooleanField(default=False)


class ResultsIn(serializers.Serializer[Any]):
    results = serializers.ListField(child=ResultIn(), allow_empty=False, max_length=MOST_CALLS)


class ToolsView(APIView):
    scope = "chat"

    @extend_schema(operation_id="tools_list", responses=ToolOut(many=True))
    def get(self, request: Request) -> Response:
        """The tools that a conversation of yours may have: Parley's own, and the workspace's MCP servers."""
        return Response(ToolOut(sets.choices(actor_of(request), None), many=True).data)


class ToolResultsView(APIView):
    scope = "chat"

    @extend_schema(operation_id="runs_tool_results", request=ResultsIn, responses={202: RunOut})
    def post(self, request: Request, pk: UUID) -> Response:
        """Bring the results of tools that you execute. The run goes on in the same stream once it has all of them;
        it waits for 10 minutes. The same results may be sent again."""
        given = [Given(**one) for one in valid(ResultsIn(data=request.data))["results"]]
        run = waiting.answer(actor_of(request), pk, given)
        return Response(RunOut(run, context={"request": request}).data, status=status.HTTP_202_ACCEPTED)
