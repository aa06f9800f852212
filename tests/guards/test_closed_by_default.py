"""Every address asks who is there, except those listed here."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

# Pages that a person who is not signed in needs, and the two questions of a supervisor.
PUBLIC = {
    "healthz",
    "readyz",
    "accounts:enter",
    "accounts:invitation",  # shows what its link is for; accepting needs a sign-in
    "account_login",
    "account_signup",
    "account_signup_by_passkey",
    "account_logout",
    "account_inactive",
    "account_email_verification_sent",
    "account_request_login_code",
    "account_confirm_login_code",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "mfa_signup_webauthn",
    "login/",
    "login/code/confirm/",
    "signup/",
    "confirm-email/",
    "password/<path:rest>",
    "openid_connect_login",
    "openid_connect_callback",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
    "socialaccount_signup",
    "accounts:link",  # shows what waits in this very session, and links only for its owner
    "accounts:cancel_link",
    "providers:chatgpt_return",  # only leads on, to where one is signed in
    # Ask for an API token themselves, and take no session: tests/chat/gateway.
    "gateway:models",
    "gateway:model",
    "gateway:chat-completions",
    "gateway:responses",
    "chat_api:run-events",  # decides itself, by token or by session: tests/chat/doors
}
SAMPLES = {"uuid": "00000000-0000-4000-8000-000000000000", "int": "1", "str": "x", "slug": "x", "path": "x"}
CLOSED = {301, 302, 401, 403, 404, 405}


def entries(resolver: URLResolver, place: str = "", space: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every address as (name, route, view)."""
    for entry in resolver.url_patterns:
        route = place + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from entries(entry, route, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern):
            yield space + (entry.name or str(entry.pattern)), route, entry.callback


ALL = [entry for entry in entries(get_resolver()) if not entry[0].startswith("admin:")]  # that guards itself
GUARDED = [entry for entry in ALL if entry[0] not in PUBLIC]


def asks_who_is_there(view: Any) -> bool:
    api = getattr(view, "cls", None)
    if isinstance(api, type) and issubclass(api, APIView):
        return bool(api.permission_classes) and AllowAny not in api.permission_classes
    return bool(getattr(view, "login_required", True))


def test_the_middleware_that_closes_pages_is_on() -> None:
    path = f"{LoginRequiredMiddleware.__module__}.{LoginRequiredMiddleware.__name__}"
    assert path in settings.MIDDLEWARE


def test_every_address_that_is_not_listed_asks_who_is_there() -> None:
    assert len(GUARDED) > 20
    assert [name for name, _, view in GUARDED if not asks_who_is_there(view)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_nobody_in_particular_gets_nothing_anywhere(client: Client, method: str) -> None:
    answered = {}
    for name, route, _ in GUARDED:
        path = "/" + re.sub(r"<(\w+):\w+>", lambda match: SAMPLES[match[1]], route)
        status = client.generic(method, path).status_code
        if status not in CLOSED:
            answered[f"{name} {path}"] = status
    assert answered == {}
