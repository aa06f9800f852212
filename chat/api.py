"""Conversations, messages and runs under /api/v1/; the events of a run are `sse`."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.problems import Problem, not_found
from chat import conversations, runs
from chat.models import Conversation, Message, Run
from chat.serializers import ConversationIn, ConversationOut, MessageOut, RunIn, RunOut

KEY_CHARS = 120
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key with the same body answers with the run that the first request made.",
)


@extend_schema_view(get=extend_schema(operation_id="conversations_list"))
class ConversationsView(generics.ListAPIView[Conversation]):
    """Your conversations, the newest first."""

    scope = "chat"
    serializer_class = ConversationOut

    def get_queryset(self) -> QuerySet[Conversation]:
        return Conversation.objects.visible_to(actor_of(self.request))

    @extend_schema(operation_id="conversations_create", request=ConversationIn, responses={201: ConversationOut})
    def post(self, request: Request) -> Response:
        """An empty conversation. A run without one makes its own."""
        made = conversations.create(actor_of(request), **_valid(ConversationIn(data=request.data)))
        return Response(ConversationOut(made).data, status=status.HTTP_201_CREATED)


class ConversationView(APIView):
    scope = "chat"

    @extend_schema(operation_id="conversations_retrieve", responses=ConversationOut)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(ConversationOut(conversations.get(actor_of(request), pk)).data)

    @extend_schema(operation_id="conversations_update", request=ConversationIn, responses=ConversationOut)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Set the title, the model for what comes next, or both."""
        values = _valid(ConversationIn(data=request.data))
        return Response(ConversationOut(conversations.change(actor_of(request), pk, **values)).data)

    @extend_schema(operation_id="conversations_delete", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Stop what runs in it and remove it with all its messages."""
        conversations.delete(actor_of(request), pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(get=extend_schema(operation_id="messages_list"))
class MessagesView(generics.ListAPIView[Message]):
    """All messages of a conversation, oldest first, over all its branches: `parent` tells the tree."""

    scope = "chat"
    serializer_class = MessageOut
    page_order = "created_at"
    queryset = Message.objects.none()

    def get_queryset(self) -> QuerySet[Message]:
        found = conversations.get(actor_of(self.request), self.kwargs["pk"])
        return found.messages.defer("native").select_related("run")


class RunsView(APIView):
    scope = "chat"

    @extend_schema(operation_id="runs_create", parameters=[IDEMPOTENCY], request=RunIn, responses={202: RunOut})
    def post(self, request: Request) -> Response:
        """Store the message and start a run. Read its events at `events_url`, from the first one or later."""
        body = RunIn(data=request.data)
        _valid(body)
        run = runs.start(actor_of(request), body.command(_key_of(request)))
        return Response(RunOut(run, context={"request": request}).data, status=status.HTTP_202_ACCEPTED)


class RunView(APIView):
    scope = "chat"

    @extend_schema(operation_id="runs_retrieve", responses=RunOut)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(RunOut(_run(request, pk), context={"request": request}).data)


class StopView(APIView):
    scope = "chat"

    @extend_schema(operation_id="runs_stop", request=None, responses={202: RunOut})
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask for the end of a run. Idempotent; its events say when it has ended."""
        run = runs.stop(actor_of(request), _run(request, pk).stream_id)
        return Response(RunOut(run, context={"request": request}).data, status=status.HTTP_202_ACCEPTED)


def _run(request: Request, pk: UUID) -> Run:
    found = Run.objects.visible_to(actor_of(request)).filter(pk=pk).first()
    if found is None:
        raise not_found()
    return found


def _valid(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def _key_of(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > KEY_CHARS:
        raise Problem(
            400, "invalid_idempotency_key", "This Idempotency-Key is too long.", f"At most {KEY_CHARS} characters."
        )
    return key
