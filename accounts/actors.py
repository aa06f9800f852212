"""From a request or a socket to the `Actor` it may act as; every door starts here."""

from collections.abc import Mapping, MutableMapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Protocol, cast

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http.cookie import parse_cookie

from accounts import tokens
from accounts.models import ApiToken, Membership, User
from accounts.policies import Actor, actor_for
from accounts.problems import Problem

WORKSPACE_KEY = "workspace"  # in the session: the id of the workspace a person has chosen


class Request(Protocol):
    """What is needed of a Django or DRF request."""

    user: Any
    session: Any


def membership_of(request: Request) -> Membership | None:
    """The membership a signed-in person acts under: the chosen workspace, else the one joined first. Cached."""
    if not hasattr(request, "current_membership"):
        own = memberships_of(request)
        request.current_membership = _chosen(own, request.session) if own else None  # type: ignore[attr-defined]
    return cast("Membership | None", request.current_membership)  # type: ignore[attr-defined]


def memberships_of(request: Request) -> list[Membership]:
    """All memberships of whoever is signed in, with their workspaces, the one joined first at the head. Cached."""
    if not hasattr(request, "memberships"):
        found = _joined(request.user) if request.user.is_authenticated else []
        request.memberships = found  # type: ignore[attr-defined]
    return cast("list[Membership]", request.memberships)  # type: ignore[attr-defined]


def actor_of(request: Request) -> Actor:
    """Who is asking. Raises Problem 401 when nobody is signed in, 403 no_workspace without a membership."""
    token = getattr(request, "auth", None) or getattr(request, "actor_token", None)
    if isinstance(token, ApiToken):
        return actor_for_token(token)
    if not request.user.is_authenticated:
        raise Problem(401, "not_signed_in", "Nobody is signed in.", "Sign in, or send an API token.")
    membership = membership_of(request)
    if membership is None:
        raise Problem(403, "no_workspace", "You are in no workspace.", "Ask an administrator for an invitation.")
    return actor_for(membership)


aactor_of = sync_to_async(actor_of)


def actor_for_token(token: ApiToken) -> Actor:
    """The actor of a verified token: what it was made for, and no more than its owner's role gives now."""
    return actor_for(token.membership, frozenset(token.scopes))


async def actor_from_scope(scope: Mapping[str, Any]) -> Actor | None:
    """Who is behind an ASGI scope now: its token when one is presented, else its session cookie.

    Reads the session, the person and the membership anew at each call, so a long-lived socket or stream that asks
    again learns of a sign-out, a changed role or a removed membership.
    """
    return await _from_headers({name.lower(): value.decode("latin1") for name, value in scope.get("headers", [])})


@database_sync_to_async
def _from_headers(headers: Mapping[bytes, str]) -> Actor | None:
    scheme, _, plain = headers.get(b"authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        try:
            return actor_for_token(tokens.verify(plain.strip()))
        except tokens.TokenRefused:
            return None
    key = parse_cookie(headers.get(b"cookie", "")).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(cast("Any", SimpleNamespace(session=session)))
    membership = _chosen(_joined(user), session) if isinstance(user, User) else None
    return actor_for(membership) if membership else None


def _joined(user: User) -> list[Membership]:
    return list(user.memberships.select_related("workspace").order_by("created_at", "pk"))


def _chosen(joined: list[Membership], session: MutableMapping[str, Any]) -> Membership | None:
    wanted = session.get(WORKSPACE_KEY)
    return next((one for one in joined if str(one.workspace_id) == wanted), joined[0] if joined else None)
