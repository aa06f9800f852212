"""Files that go with messages, under /api/v1/attachments/."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import generics, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from chat import attachments, serving
from chat.models import Attachment
from chat.serializers import key_of, valid

UPLOAD_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key with the same file answers with the file that the first request stored.",
)


class WhyOut(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="A stable word, such as `damaged`, `encrypted` or `too_many_pages`.")
    message = serializers.CharField(help_text="What can be done about it.")


class AttachmentOut(serializers.ModelSerializer[Attachment]):
    """`media_type` was read from the bytes. `error` is null unless it failed. A picture has no pages; the page of a
    spreadsheet is a sheet, that of a text a part of it."""

    content_route = "attachment-content"
    error = serializers.SerializerMethodField()
    content_url = serializers.SerializerMethodField()

    class Meta:
        model = Attachment
        fields: tuple[str, ...] = (
            "id", "filename", "kind", "media_type", "size", "sha256", "state", "error", "pages_read", "page_count",
            "token_estimate", "conversation", "sent_at", "content_url", "created_at",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "conversation": {"help_text": "Whose message box holds it, or whose message carries it."},
            "sent_at": {"help_text": "Null until it goes with a message."},
        }

    @extend_schema_field(WhyOut(allow_null=True))
    def get_error(self, attachment: Attachment) -> dict[str, str] | None:
        return {"code": attachment.error, "message": attachment.error_detail} if attachment.error else None

    @extend_schema_field(serializers.URLField())
    def get_content_url(self, attachment: Attachment) -> str:
        path = reverse(f"chat_api:{self.content_route}", args=[attachment.pk])
        request = self.context.get("request")
        return request.build_absolute_uri(path) if request else path


class FileIn(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True, max_length=None, help_text="At most 20 MB.")


class AttachmentIn(FileIn):
    conversation = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Whose message box holds it; empty for a new one."
    )


@extend_schema_view(
    get=extend_schema(
        operation_id="attachments_list",
        parameters=[OpenApiParameter("conversation", OpenApiTypes.UUID, description="Only of this conversation.")],
    )
)
class AttachmentsView(generics.ListAPIView[Attachment]):
    """Your files, sent with messages or waiting to be, the newest first."""

    scope = "chat"
    serializer_class = AttachmentOut
    parser_classes = (MultiPartParser,)

    def get_queryset(self) -> QuerySet[Attachment]:
        mine = Attachment.objects.visible_to(actor_of(self.request)).of_messages()
        wanted = self.request.query_params.get("conversation", "")
        return mine.filter(conversation=_uuid(wanted)) if wanted else mine

    @extend_schema(
        operation_id="attachments_create",
        request={"multipart/form-data": AttachmentIn},
        parameters=[UPLOAD_KEY],
        responses={201: AttachmentOut},
    )
    def post(self, request: Request) -> Response:
        """Store a file and have it read; ask for it until its `state` is `ready` or `failed`. Name its `id` in the
        `attachments` of a run within a day."""
        values = valid(AttachmentIn(data=request.data))
        file, conversation = values["file"], values["conversation"]
        made = attachments.add(actor_of(request), file, conversation=conversation, key=key_of(request))
        return Response(AttachmentOut(made, context={"request": request}).data, status=status.HTTP_201_CREATED)


class AttachmentView(APIView):
    scope = "chat"

    @extend_schema(operation_id="attachments_retrieve", responses=AttachmentOut)
    def get(self, request: Request, pk: UUID) -> Response:
        """How far a file is read, and what it holds."""
        found = attachments.get(actor_of(request), pk)
        return Response(AttachmentOut(found, context={"request": request}).data)

    @extend_schema(operation_id="attachments_delete", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Remove a file that no message carries. One that a message carries goes with its conversation."""
        attachments.remove(actor_of(request), pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class AttachmentContentView(APIView):
    scope = "chat"

    @extend_schema(
        operation_id="attachments_content", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """The file itself, with the media type that was read from its bytes. A picture comes without its metadata."""
        return serving.download(attachments.get(actor_of(request), pk))


def _uuid(text: str) -> UUID:
    found: UUID = valid(_Named(data={"conversation": text}))["conversation"]
    return found


class _Named(serializers.Serializer[Any]):
    conversation = serializers.UUIDField()
