"""Summaries of a conversation, and what stands for its older messages, under /api/v1/conversations/."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.problems import not_found
from chat import compactions, conversations, summaries
from chat.models import Compaction
from chat.pages import page_fill
from chat.serializers import IDEMPOTENCY, MODEL_CHARS, RunOut, key_of, valid
from chat.summaries import Summary

MODEL = OpenApiParameter("model", str, description="`provider/model_id`; by default the conversation's own choice.")


class SummaryIn(serializers.Serializer[Any]):
    """`at` is the message where the branch ends, by default the newest; `model` is empty for the summary default."""

    at = serializers.UUIDField(required=False, allow_null=True, default=None)
    model = serializers.CharField(required=False, allow_blank=True, max_length=MODEL_CHARS, default="")


class SummaryOut(serializers.Serializer[Summary]):
    """`text` is Markdown, empty while it is written; `upto` is the message that it covers last; `stale` says that the
    conversation has gone on since."""

    run = RunOut(read_only=True)
    text = serializers.CharField(read_only=True)
    upto = serializers.SerializerMethodField()
    stale = serializers.BooleanField(read_only=True)

    @extend_schema_field(serializers.UUIDField())
    def get_upto(self, summary: Summary) -> str:
        return str(summary.run.input["upto"])


class CompactionOut(serializers.ModelSerializer[Compaction]):
    """A summary that is sent in the place of all messages up to `upto`, on every branch through it, unless it was
    revoked. The newest one on a branch decides."""

    class Meta:
        model = Compaction
        fields = ("id", "upto", "messages", "left_out", "summary", "run", "created_at", "revoked_at")
        read_only_fields = fields


class CompactionIn(serializers.Serializer[Any]):
    revoked = serializers.BooleanField(help_text="True: send everything instead. False: let the summary hold again.")


class FillOut(serializers.Serializer[Any]):
    """About how many tokens the branch holds, of how many the model reads at once."""

    tokens = serializers.IntegerField()
    window = serializers.IntegerField()
    percent = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["ok", "near", "over"])


class SummaryView(APIView):
    scope = "chat"

    @extend_schema(operation_id="summary_retrieve", responses=SummaryOut)
    def get(self, request: Request, pk: UUID) -> Response:
        """The newest summary that somebody asked for; 404 without one."""
        actor = actor_of(request)
        found = summaries.latest(actor, conversations.get(actor, pk))
        if found is None:
            raise not_found()
        return Response(SummaryOut(found, context={"request": request}).data)

    @extend_schema(operation_id="summary_create", parameters=[IDEMPOTENCY], request=SummaryIn, responses={202: RunOut})
    def post(self, request: Request, pk: UUID) -> Response:
        """Have a branch summarised by the default model for summaries. Its text streams at `events_url`; `status`
        events with the state `part` say how far a long conversation has been read."""
        data = valid(SummaryIn(data=request.data))
        run = summaries.start(actor_of(request), pk, at=data["at"], model=data["model"], key=key_of(request))
        return Response(RunOut(run, context={"request": request}).data, status=status.HTTP_202_ACCEPTED)


class CompactionsView(APIView):
    scope = "chat"

    @extend_schema(operation_id="compactions_list", responses=CompactionOut(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """What was made of older messages when they no longer fitted, the newest first."""
        return Response(CompactionOut(compactions.listed(actor_of(request), pk), many=True).data)


class CompactionView(APIView):
    scope = "chat"

    @extend_schema(operation_id="compactions_update", request=CompactionIn, responses=CompactionOut)
    def patch(self, request: Request, pk: UUID, compaction: UUID) -> Response:
        """Send everything instead of the summary, or go back to it. The messages themselves never change."""
        data = valid(CompactionIn(data=request.data))
        return Response(CompactionOut(compactions.change(actor_of(request), pk, compaction, **data)).data)


class FillView(APIView):
    scope = "chat"

    @extend_schema(operation_id="conversations_context", parameters=[MODEL], responses=FillOut)
    def get(self, request: Request, pk: UUID) -> Response:
        """How full a model's window is with the newest branch; 404 where nobody says what the model reads at once, or
        nothing was sent yet."""
        actor = actor_of(request)
        wanted = request.query_params.get("model", "")[:MODEL_CHARS]
        found = page_fill(actor, conversations.get(actor, pk), wanted)
        if found is None:
            raise not_found()
        return Response(FillOut(found).data)
