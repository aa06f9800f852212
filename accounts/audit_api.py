"""The audit under /api/v1/, for administrators: a list to page through and a file to keep."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import audit, audit_export
from accounts.actors import actor_of
from accounts.models import AuditEntry
from accounts.policies import require_administering

PARAMETERS = [
    OpenApiParameter("action", str, description="One action, or how it begins: `member.`"),
    OpenApiParameter("who", str, description="The e-mail address of who did it."),
    OpenApiParameter("target", str, description="Any part of what it was done to."),
    OpenApiParameter("since", str, description="A date or a time; that moment included."),
    OpenApiParameter("until", str, description="A date or a time; that moment not included."),
]
KIND = OpenApiParameter("as", str, enum=list(audit_export.KINDS), description="The kind of file; csv when not said.")


class AuditOut(serializers.ModelSerializer[AuditEntry]):
    """Who changed what. `data` holds facts about the change; `chain`, `sequence` and `digest` are what
    `manage.py verify_audit` checks."""

    class Meta:
        model = AuditEntry
        fields = ("id", *audit_export.COLUMNS)
        read_only_fields = fields


class AuditView(ListAPIView[AuditEntry]):
    scope = "workspace"
    serializer_class = AuditOut
    page_order = "-id"

    @extend_schema(operation_id="audit_list", parameters=PARAMETERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """What was changed in your workspace, and the sign-ins of its members, newest first (administrators)."""
        require_administering(actor_of(request))
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> Any:
        return audit_export.narrowed(audit.visible_to(actor_of(self.request)), self.request.query_params)


class AuditExportView(APIView):
    scope = "workspace"

    @extend_schema(
        operation_id="audit_export",
        parameters=[*PARAMETERS, KIND],
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/x-ndjson"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The same as a file, CSV or one JSON object a line, streamed (administrators)."""
        actor = actor_of(request)
        require_administering(actor)
        rows = audit_export.narrowed(audit.visible_to(actor), request.query_params)
        return audit_export.response(rows, request.query_params.get("as", "csv"))
