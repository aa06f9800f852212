"""Credentials under /api/v1/: list, keep, check and remove; a secret goes in and never comes back out. And how the
providers are."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import actor_of
from accounts.api import TokenAuthentication
from accounts.problems import not_found
from providers import checks, credentials, standing
from providers.models import Credential
from providers.pasted import LONGEST_KEY
from providers.status_words import overall


class CredentialOut(serializers.ModelSerializer[Credential]):
    """What may be shown of a credential: who it belongs to, its hint and how its last check went."""

    source = serializers.ChoiceField(choices=["own", "workspace"], read_only=True)  # type: ignore[assignment]

    class Meta:
        model = Credential
        fields = [
            "id",
            "provider_id",
            "kind",
            "source",
            "label",
            "hint",
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


class CredentialIn(serializers.Serializer[Any]):
    """A key to keep. `shared` makes it the workspace's (administrators only), as does having a `base_url`."""

    provider_id = serializers.CharField(max_length=40)
    secret = serializers.CharField(
        write_only=True, max_length=2 * LONGEST_KEY, allow_blank=True, style={"input_type": "password"}
    )
    shared = serializers.BooleanField(default=False)
    label = serializers.CharField(max_length=80, default="", allow_blank=True)  # type: ignore[assignment]
    base_url = serializers.CharField(max_length=300, default="", allow_blank=True)


class CredentialList(serializers.Serializer[Any]):
    """All of them: a person has one per provider, and so has the workspace."""

    results = CredentialOut(many=True)


class CredentialsView(APIView):
    scope = "credentials"

    @extend_schema(operation_id="credentials_list", responses=CredentialList)
    def get(self, request: Request) -> Response:
        """Your credentials and the workspace's, without their secrets."""
        rows = Credential.objects.visible_to(actor_of(request))
        return Response({"results": CredentialOut(rows, many=True).data})

    @extend_schema(operation_id="credentials_keep", request=CredentialIn, responses={201: CredentialOut})
    def post(self, request: Request) -> Response:
        """Keep a key and check it; it replaces the one that is there. A refused key is kept and says so."""
        given = CredentialIn(data=request.data)
        given.is_valid(raise_exception=True)
        row = credentials.save(actor_of(request), **given.validated_data)
        checks.check_from_thread(f"credential:{row.pk}")
        return Response(CredentialOut(_visible(request, row.pk)).data, status=status.HTTP_201_CREATED)


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
    row: Credential | None = Credential.objects.visible_to(actor_of(request)).filter(pk=pk).first()
    if row is None:
        raise not_found()
    return row


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
    }
