"""The API's shapes of conversations, messages and runs."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from accounts.problems import Problem
from chat.attachments import MOST_FILES
from chat.conversations import TITLE_CHARS
from chat.models import Conversation, Message, Run
from chat.protocol import Command
from chat.tools import brought, sets
from providers.contract import ToolSpec

MODEL_CHARS = 201
KEY_CHARS = 120
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key with the same body answers with the run that the first request made.",
)


class ToolKeys(serializers.ListField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=80), max_length=sets.MOST_CHOSEN, **kwargs)


class ToolIn(serializers.Serializer[Any]):
    """A tool that you execute. `parameters` is a JSON Schema, draft 2020-12, of the type `object`."""

    name = serializers.RegexField(brought.NAME_FORM)
    description = serializers.CharField(allow_blank=True, max_length=brought.DESCRIPTION_CHARS, default="")
    parameters = serializers.DictField()


class ConversationOut(serializers.ModelSerializer[Conversation]):
    """`tools` are the keys of the tools that its runs have, null for the usual ones."""

    tools = serializers.ListField(child=serializers.CharField(), allow_null=True, read_only=True)

    class Meta:
        model = Conversation
        fields = ("id", "title", "model", "context", "tools", "leaf", "created_at", "updated_at")
        read_only_fields = fields


class ConversationIn(serializers.Serializer[Any]):
    """`model` is `provider/model_id`, empty for the default; `context` says who answers: a model directly, or an
    orchestrator with the workspace's specialists; `tools` are keys of /api/v1/tools/, null for the usual ones."""

    title = serializers.CharField(max_length=TITLE_CHARS, allow_blank=True, required=False)
    model = serializers.CharField(max_length=MODEL_CHARS, allow_blank=True, required=False)
    context = serializers.ChoiceField(choices=Conversation.ANSWERED, required=False)  # type: ignore[assignment]
    tools = ToolKeys(required=False, allow_null=True)


class MessageOut(serializers.ModelSerializer[Message]):
    """`run` is the run that wrote an answer, null for a person's message. A part of the type `attachment` names a
    file by its `id`."""

    text = serializers.CharField(read_only=True)
    parts = serializers.ListField(child=serializers.DictField(), read_only=True)
    run = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = ("id", "conversation", "parent", "role", "text", "parts", "run", "created_at")
        read_only_fields = fields

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_run(self, message: Message) -> str | None:
        run = getattr(message, "run", None)
        return str(run.pk) if isinstance(run, Run) else None


class RunOut(serializers.ModelSerializer[Run]):
    """One request to a model, from queued to its terminal event. `error` is null unless it failed."""

    message = serializers.UUIDField(source="answer_id", allow_null=True, help_text="The answer that the run writes.")
    events_url = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    usage = serializers.DictField(help_text="Of the run alone.")
    usage_total = serializers.DictField(help_text="With the runs that it called for: specialists, summaries.")
    trace = serializers.DictField()

    class Meta:
        model = Run
        fields: tuple[str, ...] = (
            "id", "parent", "conversation", "stream_id", "events_url", "state", "context", "message", "requested_model",
            "served_model", "credential_source", "credential_hint", "finish_reason", "usage", "usage_total", "error",
            "trace", "created_at", "started_at", "first_content_at", "ended_at",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.URLField())
    def get_events_url(self, run: Run) -> str:
        path = reverse("chat_api:run-events", args=[run.pk])
        request = self.context.get("request")
        return request.build_absolute_uri(path) if request else path

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_error(self, run: Run) -> dict[str, Any] | None:
        return run.error or None


class RunIn(serializers.Serializer[Any]):
    """`input` is a new message; with `answer_to` a message that exists is answered again, with `continues` an
    interrupted answer goes on. Without `conversation` a new one begins. `parent` is the message that the new one
    follows, by default the newest; `edits` is a message of yours that the new one is another version of. When the model
    calls one of your `tools`, the run waits for its result at `/tool-results/`."""

    context = serializers.ChoiceField(  # type: ignore[assignment]
        choices=Conversation.ANSWERED,
        required=False,
        default="",
        help_text="By default the conversation's own, at first chat.",
    )
    input = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, default="")
    model = serializers.CharField(required=False, allow_blank=True, max_length=MODEL_CHARS, default="")
    conversation = serializers.UUIDField(required=False, allow_null=True, default=None)
    parent = serializers.UUIDField(required=False, allow_null=True, default=None)  # type: ignore[assignment]
    edits = serializers.UUIDField(required=False, allow_null=True, default=None)
    answer_to = serializers.UUIDField(required=False, allow_null=True, default=None)
    continues = serializers.UUIDField(required=False, allow_null=True, default=None)
    attachments = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_null=True, default=None, max_length=MOST_FILES,
        help_text="Files that go with `input`, as `/api/v1/attachments/` named them. Left out with `edits`: those of "
        "that message. A file that is still being read is waited for.",
    )  # fmt: skip
    server_tools = ToolKeys(
        required=False,
        allow_null=True,
        default=None,
        help_text="The conversation's tools from now on, keys of /api/v1/tools/; left out, they stay as they are.",
    )
    tools = serializers.ListField(
        child=ToolIn(), required=False, default=list, help_text="What the model may call and you execute."
    )
    tool_choice = serializers.CharField(
        required=False, default="auto", max_length=64, help_text="`auto`, `none`, `required`, or the name of a tool."
    )
    credential = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=80,
        default="",
        help_text="The id of a credential to use, or its reference, where the workspace allows that; with a `model` of "
        "its provider.",
    )
    compact = serializers.BooleanField(
        required=False, default=False, help_text="Have the older messages summarised first, whatever the window."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        elsewhere = [name for name in ("parent", "edits", "answer_to", "continues") if attrs[name]]
        if elsewhere and not attrs["conversation"]:
            raise serializers.ValidationError({elsewhere[0]: "Name the conversation as well."})
        if attrs["answer_to"] and attrs["continues"]:
            raise serializers.ValidationError({"continues": "Either answer_to or continues."})
        return attrs

    def command(self, idempotency_key: str) -> Command:
        data = self.validated_data
        return Command(
            text=data["input"],
            conversation_id=data["conversation"],
            parent_id=data["parent"],
            edits=data["edits"],
            answer_to=data["answer_to"],
            continues=data["continues"],
            attachments=None if data["attachments"] is None else tuple(data["attachments"]),
            model=data["model"],
            tools=None if data["server_tools"] is None else tuple(data["server_tools"]),
            client_tools=tuple(ToolSpec(**one) for one in data["tools"]),
            tool_choice=data["tool_choice"],
            context=data["context"],
            compact=data["compact"],
            credential=data["credential"],
            idempotency_key=idempotency_key,
        )


def valid(serializer: Any) -> dict[str, Any]:
    """What was sent, checked. Raises the framework's ValidationError."""
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def key_of(request: Request) -> str:
    """The Idempotency-Key, may be empty. Raises Problem 400 for one that is too long."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > KEY_CHARS:
        raise Problem(
            400, "invalid_idempotency_key", "This Idempotency-Key is too long.", f"At most {KEY_CHARS} characters."
        )
    return key
