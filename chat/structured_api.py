"""Values instead of answers under /api/v1/structured/."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from chat import structured
from chat.models import Run
from chat.serializers import IDEMPOTENCY, MODEL_CHARS, RunOut, key_of, valid
from chat.waiting import WAIT, waited


class SaidIn(serializers.Serializer[Any]):
    """One message of what is asked."""

    role = serializers.ChoiceField(choices=["user", "assistant"])
    text = serializers.CharField(allow_blank=True, trim_whitespace=False)


class StructuredIn(serializers.Serializer[Any]):
    """Either `input` or `messages`, the last of them with the role `user`. `schema` is a JSON Schema, draft 2020-12, of
    at most 64 KiB: its references stay inside, its patterns need no look-around."""

    input = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, default="")
    messages = serializers.ListField(child=SaidIn(), required=False, default=list, max_length=structured.MOST_MESSAGES)
    schema = serializers.DictField()
    schema_name = serializers.RegexField(
        structured.NAME_FORM, required=False, default=structured.NAME, help_text="What the model is told it makes."
    )
    model = serializers.CharField(required=False, allow_blank=True, max_length=MODEL_CHARS, default="")
    credential = serializers.CharField(
        required=False, allow_blank=True, max_length=80, default="", help_text="As of a run."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["input"] and attrs["messages"]:
            raise serializers.ValidationError({"messages": "Either input or messages."})
        return attrs

    def asking(self, idempotency_key: str) -> structured.Asking:
        data = self.validated_data
        said = tuple((one["role"], one["text"]) for one in data["messages"])
        return structured.Asking(
            messages=said or (("user", data["input"]),),
            schema=data["schema"],
            schema_name=data["schema_name"],
            model=data["model"],
            credential=data["credential"],
            idempotency_key=idempotency_key,
        )


class FaultOut(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="A JSON Pointer into the value, empty for the whole.")
    message = serializers.CharField()


class DraftOut(serializers.Serializer[Any]):
    raw = serializers.CharField()
    faults = FaultOut(many=True)


class StructuredOut(RunOut):
    """A run with what it gave: `value` fits the schema, and is null until then; `raw` is the last text of the model,
    valid or not; `attempts` are all its texts with what is wrong with each. A text that fits no schema after the repair
    is the error `invalid_request` with the detail `invalid_output`."""

    value = serializers.SerializerMethodField(method_name="value_of")
    raw = serializers.SerializerMethodField(method_name="raw_of")
    attempts = serializers.SerializerMethodField(method_name="attempts_of")
    valid = serializers.SerializerMethodField(method_name="valid_of")

    class Meta(RunOut.Meta):
        fields = (*RunOut.Meta.fields, "valid", "value", "raw", "attempts")
        read_only_fields = fields

    @extend_schema_field({"description": "Any JSON value."})
    def value_of(self, run: Run) -> Any:
        return run.output.get("value")

    @extend_schema_field(serializers.BooleanField(help_text="Whether there is a value; it may be null itself."))
    def valid_of(self, run: Run) -> bool:
        return "value" in run.output

    @extend_schema_field(serializers.CharField())
    def raw_of(self, run: Run) -> str:
        found = structured.drafts(run)
        return found[-1].raw if found else ""

    @extend_schema_field(DraftOut(many=True))
    def attempts_of(self, run: Run) -> list[dict[str, Any]]:
        return [{"raw": draft.raw, "faults": draft.faults} for draft in structured.drafts(run)]


class StructuredsView(APIView):
    scope = "chat"

    @extend_schema(
        operation_id="structured_create",
        parameters=[IDEMPOTENCY, WAIT],
        request=StructuredIn,
        responses={202: RunOut, 200: StructuredOut},
    )
    def post(self, request: Request) -> Response:
        """Ask for a value that fits a JSON Schema. Its text streams at `events_url`; `status` events say `downgraded`
        when the provider takes no schema and we check alone, and `repair` when the model is told what was wrong and
        writes again (deltas then have `index` 1)."""
        body = StructuredIn(data=request.data)
        valid(body)
        actor = actor_of(request)
        run = structured.start(actor, body.asking(key_of(request)))
        if waited(request, run):
            run = structured.get(actor, run.pk)
            return Response(StructuredOut(run, context={"request": request}).data)
        return Response(RunOut(run, context={"request": request}).data, status=status.HTTP_202_ACCEPTED)


class StructuredView(APIView):
    scope = "chat"

    @extend_schema(operation_id="structured_retrieve", responses=StructuredOut)
    def get(self, request: Request, pk: UUID) -> Response:
        """The state of the run, and its value or its error with the text that did not fit."""
        run = structured.get(actor_of(request), pk)
        return Response(StructuredOut(run, context={"request": request}).data)
