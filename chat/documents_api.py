"""Documents under /api/v1/documents/: kept, summarised, asked about."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import generics, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from chat import documents, serving
from chat.attachments_api import UPLOAD_KEY, AttachmentOut, FileIn
from chat.models import Attachment, AttachmentPage, Run
from chat.serializers import IDEMPOTENCY, MODEL_CHARS, RunOut, key_of, valid
from chat.waiting import WAIT, waited


class DocumentOut(AttachmentOut):
    """`page_count` is null until it is read; sheets, slides and parts of a text are pages too."""

    class Meta(AttachmentOut.Meta):
        fields = (
            "id", "filename", "kind", "media_type", "size", "sha256", "state", "error", "pages_read", "page_count",
            "token_estimate", "content_url", "created_at",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs: dict[str, Any] = {}

    content_route = "document-content"


class PageOut(serializers.ModelSerializer[AttachmentPage]):
    class Meta:
        model = AttachmentPage
        fields = ("number", "text")
        read_only_fields = fields


class AskIn(serializers.Serializer[Any]):
    """`question` is only for the task `question`."""

    task = serializers.ChoiceField(choices=["summary", "question"])
    question = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, default="")
    model = serializers.CharField(required=False, allow_blank=True, max_length=MODEL_CHARS, default="")

    def asking(self, idempotency_key: str) -> documents.Asking:
        return documents.Asking(**self.validated_data, idempotency_key=idempotency_key)


class DocumentRunOut(RunOut):
    """A run about a document. `pages_sent` are the pages that the model was given, `citations` those its text names."""

    document = serializers.UUIDField(source="document_id")
    task = serializers.CharField(source="input.task")
    question = serializers.CharField(source="input.question")
    text = serializers.SerializerMethodField(method_name="text_of")
    pages_sent = serializers.SerializerMethodField(method_name="pages_of")
    citations = serializers.SerializerMethodField(method_name="citations_of")

    class Meta(RunOut.Meta):
        fields = (*RunOut.Meta.fields, "document", "task", "question", "text", "pages_sent", "citations")
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def text_of(self, run: Run) -> str:
        return documents.text_of(run)

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def pages_of(self, run: Run) -> list[int]:
        sent: list[int] = run.output.get("pages", {}).get("sent", [])
        return sent

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def citations_of(self, run: Run) -> list[int]:
        named: list[int] = run.output.get("citations", [])
        return named


@extend_schema_view(get=extend_schema(operation_id="documents_list"))
class DocumentsView(generics.ListAPIView[Attachment]):
    """Your documents, the newest first."""

    scope = "chat"
    serializer_class = DocumentOut
    parser_classes = (MultiPartParser,)

    def get_queryset(self) -> QuerySet[Attachment]:
        return documents.library(actor_of(self.request))

    @extend_schema(
        operation_id="documents_create",
        parameters=[UPLOAD_KEY],
        request={"multipart/form-data": FileIn},
        responses={201: DocumentOut},
    )
    def post(self, request: Request) -> Response:
        """Keep a document and have it read; ask for it until its `state` is `ready` or `failed`."""
        made = documents.add(actor_of(request), valid(FileIn(data=request.data))["file"], key_of(request))
        return Response(DocumentOut(made, context={"request": request}).data, status=status.HTTP_201_CREATED)


class DocumentView(APIView):
    scope = "chat"

    @extend_schema(operation_id="documents_retrieve", responses=DocumentOut)
    def get(self, request: Request, pk: UUID) -> Response:
        """How far a document is read, and what it holds."""
        return Response(DocumentOut(documents.get(actor_of(request), pk), context={"request": request}).data)

    @extend_schema(operation_id="documents_delete", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Remove a document with its text, summaries and answers; what runs about it is stopped."""
        documents.remove(actor_of(request), pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DocumentContentView(APIView):
    scope = "chat"

    @extend_schema(operation_id="documents_content", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """The file itself, with the media type that was read from its bytes."""
        return serving.download(documents.get(actor_of(request), pk))


@extend_schema_view(get=extend_schema(operation_id="documents_pages"))
class DocumentPagesView(generics.ListAPIView[AttachmentPage]):
    """The text that was read, page by page."""

    scope = "chat"
    serializer_class = PageOut
    page_order = "number"
    queryset = AttachmentPage.objects.none()

    def get_queryset(self) -> QuerySet[AttachmentPage]:
        return documents.get(actor_of(self.request), self.kwargs["pk"]).pages.all()


@extend_schema_view(get=extend_schema(operation_id="documents_runs_list"))
class DocumentRunsView(generics.ListAPIView[Run]):
    """Summaries and answers about a document, the newest first."""

    scope = "chat"
    serializer_class = DocumentRunOut
    queryset = Run.objects.none()

    def get_queryset(self) -> QuerySet[Run]:
        return documents.get(actor_of(self.request), self.kwargs["pk"]).runs.all()

    @extend_schema(
        operation_id="documents_runs_create",
        parameters=[IDEMPOTENCY, WAIT],
        request=AskIn,
        responses={202: DocumentRunOut, 200: DocumentRunOut},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask for a summary, or a question. The text streams at `events_url`. `status` events say which `pages` were
        sent, how many of the `part`s of a long document are read, and each `citation` of a page."""
        body = AskIn(data=request.data)
        valid(body)
        actor = actor_of(request)
        run = documents.start(actor, pk, body.asking(key_of(request)))
        ended = waited(request, run)
        shown = DocumentRunOut(documents.run_of(actor, pk, run.pk), context={"request": request}).data
        return Response(shown, status=status.HTTP_200_OK if ended else status.HTTP_202_ACCEPTED)


class DocumentRunView(APIView):
    scope = "chat"

    @extend_schema(operation_id="documents_runs_retrieve", responses=DocumentRunOut)
    def get(self, request: Request, pk: UUID, run_id: UUID) -> Response:
        """The state of the run, and its text with the pages it names."""
        run = documents.run_of(actor_of(request), pk, run_id)
        return Response(DocumentRunOut(run, context={"request": request}).data)
