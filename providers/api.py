"""Credentials under /api/v1/: list, keep, check and remove; a secret goes in and never comes back out. And how the
providers are."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.api import TokenAuthentication
from accounts.problems import not_found
from providers import checks, credentials, session_keeping, standing
from providers.models import Credential
from providers.pasted import LONGEST_KEY, LONGEST_TOKEN
from providers.status_words import overall

MODE_HELP = "What its owner prefers for this provider."


class CredentialOut(serializers.ModelSerializer[Credential]):
    """What may be shown of a credential: who it belongs to, its hint and how its last check went."""

    source = serializers.ChoiceField(choices=["own", "workspace"], read_only=True)  # type: ignore[assignment]
    mode = serializers.SerializerMethodField()
    fallback_allowed = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()

    class Meta:
        model = Credential
        fields = [
            "id",
            "provider_id",
            "kind",
            "source",
            "label",
            "hint",
            "method",
            "account",
            "expires_at",
            "mode",
            "fallback_allowed",
            "base_url",
            "sandbox",
            "state",
            "error_code",
            "checked_at",
            "latency_ms",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=Credential.Kind.choices, help_text=MODE_HELP))
    def get_mode(self, row: Credential) -> str:
        return credentials.descriptor_of(row).mode

    @extend_schema_field(serializers.BooleanField(help_text="Whether a key may stand in for a session that fails."))
    def get_fallback_allowed(self, row: Credential) -> bool:
        return credentials.descriptor_of(row).fallback_allowed

    @extend_schema_field(serializers.ChoiceField(choices=Credential.State.choices))
    def get_state(self, row: Credential) -> str:
        """As it is now: a pasted session may have ended since anybody looked."""
        return credentials.descriptor_of(row).state


class CredentialIn(serializers.Serializer[Any]):
    """A key to keep. `shared` makes it the workspace's (administrators only), as does having a `base_url`."""

    provider_id = serializers.CharField(max_length=40)
    secret = serializers.CharField(
        write_only=True, max_length=2 * LONGEST_KEY, allow_blank=True, style={"input_type": "password"}
    )
    shared = serializers.BooleanField(default=False)
    label = serializers.CharField(max_length=80, default="", allow_blank=True)  # type: ignore[assignment]
    base_url = serializers.CharField(max_length=300, default="", allow_blank=True)


class SessionIn(serializers.Serializer[Any]):
    """A token session to keep and to prefer from now on. With the method `workload_identity`, `secret` is the token
    that your identity provider signed, empty for the one in the operator's file, and `exchange` has the vendor's
    fields: of openai `identity_provider_id` and `service_account_id`, of anthropic `federation_rule_id` and
    `organization_id`, maybe `service_account_id` and `workspace_id`; of both maybe the `endpoint`."""

    provider_id = serializers.CharField(max_length=40)
    method = serializers.ChoiceField(choices=Credential.ENTERED, default=Credential.Method.BEARER.value)
    secret = serializers.CharField(
        write_only=True, max_length=2 * LONGEST_TOKEN, allow_blank=True, style={"input_type": "password"}
    )
    shared = serializers.BooleanField(default=False)
    expires_at = serializers.DateTimeField(allow_null=True, default=None, help_text="Of a pasted token, where known.")
    account = serializers.CharField(
        max_length=session_keeping.ACCOUNT_CHARS, default="", allow_blank=True, help_text="A name for whose it is."
    )
    base_url = serializers.CharField(max_length=300, default="", allow_blank=True)
    exchange = serializers.DictField(child=serializers.CharField(max_length=300, allow_blank=True), default=dict)
    fallback_allowed = serializers.BooleanField(default=False)


class ModeIn(serializers.Serializer[Any]):
    """What goes out first, yours or with `shared` the workspace's."""

    mode = serializers.ChoiceField(choices=Credential.Kind.choices)
    fallback_allowed = serializers.BooleanField(default=False)
    shared = serializers.BooleanField(default=False)


class CredentialList(serializers.Serializer[Any]):
    """All of them: a person has one per provider, and so has the workspace."""

    results = CredentialOut(many=True)


class CredentialsView(APIView):
    scope = "credentials"

    @extend_schema(operation_id="credentials_list", responses=CredentialList)
    def get(self, request: Request) -> Response:
        """Your credentials and the workspace's, without their secrets."""
        rows = Credential.objects.visible_to(actor_of(request)).with_mode()
        return Response({"results": CredentialOut(rows, many=True).data})

    @extend_schema(operation_id="credentials_keep", request=CredentialIn, responses={201: CredentialOut})
    def post(self, request: Request) -> Response:
        """Keep a key and check it; it replaces the one that is there. A refused key is kept and says so."""
        given = CredentialIn(data=request.data)
        given.is_valid(raise_exception=True)
        row = credentials.save(actor_of(request), **given.validated_data)
        checks.check_from_thread(f"credential:{row.pk}")
        return Response(CredentialOut(_visible(request, row.pk)).data, status=status.HTTP_201_CREATED)


class SessionsView(APIView):
    scope = "credentials"

    @extend_schema(operation_id="sessions_keep", request=SessionIn, responses={201: CredentialOut})
    def post(self, request: Request) -> Response:
        """Keep a token session and check it; it replaces the one that is there."""
        given = SessionIn(data=request.data)
        given.is_valid(raise_exception=True)
        row = session_keeping.save(actor_of(request), session_keeping.Given(**given.validated_data))
        checks.check_from_thread(f"credential:{row.pk}")
        return Response(CredentialOut(_visible(request, row.pk)).data, status=status.HTTP_201_CREATED)


class ModeView(APIView):
    scope = "credentials"

    @extend_schema(operation_id="credentials_mode", request=ModeIn, responses={204: None})
    def put(self, request: Request, provider_id: str) -> Response:
        """Prefer a session or an API key for a provider; say whether a key may stand in for a session that fails."""
        given = ModeIn(data=request.data)
        given.is_valid(raise_exception=True)
        session_keeping.prefer(actor_of(request), provider_id=provider_id, **given.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CredentialView(APIView):
    scope = "credentials"

    @extend_schema(operation_id="credentials_read", responses=CredentialOut)
    def get(self, request: Request, credential_id: UUID) -> Response:
        """One credential, without its secret."""
        return Response(CredentialOut(_visible(request, credential_id)).data)

    @extend_schema(operation_id="credentials_remove", responses={204: None})
    def delete(self, request: Request, credential_id: UUID) -> Response:
        """Forget a key."""
        credentials.remove(actor_of(request), credential_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CredentialCheckView(APIView):
    scope = "credentials"

    @extend_schema(operation_id="credentials_check", request=None, responses=CredentialOut)
    def post(self, request: Request, credential_id: UUID) -> Response:
        """Ask the provider, without cost, whether it takes the key; the answer is in `state` and `error_code`."""
        row = _visible(request, credential_id)
        credentials.note_check(actor_of(request), f"credential:{row.pk}")
        checks.check_from_thread(f"credential:{row.pk}")
        return Response(CredentialOut(_visible(request, row.pk)).data)


def _visible(request: Request, pk: UUID) -> Credential:
    row: Credential | None = Credential.objects.visible_to(actor_of(request)).with_mode().filter(pk=pk).first()
    if row is None:
        raise not_found()
    return row


class CredentialUsedOut(serializers.Serializer[Any]):
    """The credential that a request of yours would take. `fallback` says why it is a key in the place of a session."""

    kind = serializers.ChoiceField(choices=Credential.Kind.choices)
    source = serializers.ChoiceField(choices=["own", "workspace", "environment", "sandbox"])  # type: ignore[assignment]
    method = serializers.CharField(allow_blank=True)
    hint = serializers.CharField()
    account = serializers.CharField(allow_blank=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    mode = serializers.ChoiceField(choices=Credential.Kind.choices, help_text=MODE_HELP)
    state = serializers.CharField()
    checked_at = serializers.DateTimeField(allow_null=True, help_text="Of a stored one.")
    fallback = serializers.CharField(allow_blank=True)


class ProviderHealthOut(serializers.Serializer[Any]):
    """How one provider is, through the credential that a request of yours would take."""

    provider_id = serializers.CharField()
    state = serializers.ChoiceField(choices=["ok", "degraded", "down", "expired", "unknown"])
    text = serializers.CharField(help_text="The state in words, for people.")
    connected = serializers.BooleanField(help_text="Whether you have a credential for it.")
    since = serializers.DateTimeField(allow_null=True, help_text="When the provider's own state last changed.")
    last_checked_at = serializers.DateTimeField(allow_null=True)
    latency_ms = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_blank=True, help_text="The error code behind a state that is not ok.")
    credential = CredentialUsedOut(allow_null=True)


class HealthOut(serializers.Serializer[Any]):
    """`status` is the worst state of what you are connected to, `title` says it in a sentence."""

    status = serializers.CharField()
    title = serializers.CharField()
    providers = ProviderHealthOut(many=True)


class HealthView(APIView):
    scope = "models"

    @extend_schema(operation_id="health_read", responses=HealthOut)
    def get(self, request: Request) -> Response:
        """The stored health of every provider; no provider is asked."""
        found = standing.stand(actor_of(request))
        seen = [one.mark for one in found]
        whole = {"status": standing.summary(seen).state, "title": overall(seen).title}
        return Response(whole | {"providers": [_health(one) for one in found]})


@extend_schema(exclude=True)
class StatusView(HealthView):
    """The same at `/status.json`, for a browser's session as well."""

    authentication_classes = (TokenAuthentication, SessionAuthentication)


def _health(one: standing.Stand) -> dict[str, Any]:
    row = one.row
    return {
        "provider_id": one.mark.provider_id,
        "state": one.mark.state,
        "text": one.mark.text,
        "connected": one.mark.connected,
        "since": row.since if row else None,
        "last_checked_at": row.last_checked_at if row else None,
        "latency_ms": row.latency_ms if row else None,
        "reason": row.reason if row else "",
        "credential": _used(one),
    }


def _used(one: standing.Stand) -> dict[str, Any] | None:
    if (used := one.used) is None:
        return None
    return {
        "kind": used.kind,
        "source": used.source,
        "method": used.method,
        "hint": used.hint,
        "account": used.account,
        "expires_at": datetime.fromtimestamp(used.expires_at, UTC).isoformat() if used.expires_at else None,
        "mode": used.mode,
        "state": used.state,
        "checked_at": used.checked_at,
        "fallback": one.fallback,
    }
