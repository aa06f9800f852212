"""Clients of the three doors for one person: pages, the API with a token, and the console after a passkey."""

import time
from typing import Any

from allauth.account.internal.userkit import user_id_to_str
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts import tokens
from accounts.models import User, Workspace
from accounts.policies import Actor


def page_client(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def api_client(actor: Actor, scopes: tuple[str, ...] = ("credentials", "models")) -> Client:
    user, workspace = User.objects.get(pk=actor.user_id), Workspace.objects.get(pk=actor.workspace_id)
    _, plain = tokens.mint(user, workspace, "test", scopes)
    return Client(headers={"Authorization": f"Bearer {plain}"})


def console_client(actor: Actor, *, superuser: bool = False) -> Client:
    """Signed in with a passkey a moment ago."""
    User.objects.filter(pk=actor.user_id).update(is_superuser=superuser)
    user = User.objects.get(pk=actor.user_id)
    passkey = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    client = page_client(actor)
    session: Any = client.session
    proof = {"method": "mfa", "type": "webauthn", "id": passkey.pk, "at": time.time(), "reauthenticated": True}
    session["account_authentication_methods"] = [proof]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()
    return client
