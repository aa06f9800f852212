"""Conversations, messages and runs under /api/v1/; the events of a run are `sse`."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.problems import not_found
from chat import conversations, runs
from chat.models import Conversation, Message, Run
from chat.serializers import IDEMPOTENCY, ConversationIn, ConversationOut, MessageOut, RunIn, RunOut, key_of, valid


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
        made = conversations.create(actor_of(request), **valid(ConversationIn(data=request.data)))
        return Response(ConversationOut(made).data, status=status.HTTP_201_CREATED)


class ConversationView(APIView):
    scope = "chat"

    @extend_schema(operation_id="conversations_retrieve", responses=ConversationOut)
    def get(self, request: Request, pk: UUID) -> Response:
        """Its title, the model for what comes next, and its newest message."""
        return Response(ConversationOut(conversations.get(actor_of(request), pk)).data)

    @extend_schema(operation_id="conversations_update", request=ConversationIn, responses=ConversationOut)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Set the title, the model for what comes next, or both."""
        values = valid(ConversationIn(data=request.data))
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
        valid(body)
        run = runs.start(actor_of(request), body.command(key_of(request)))
        return Response(RunOut(run, context={"request": request}).data, status=status.HTTP_202_ACCEPTED)


class RunView(APIView):
    scope = "chat"

    @extend_schema(operation_id="runs_retrieve", responses=RunOut)
    def get(self, request: Request, pk: UUID) -> Response:
        """How a run stands, who answers it, through which credential, and why."""
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
