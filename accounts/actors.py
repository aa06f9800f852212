"""From a request or a socket to the `Actor` it may act as; every door starts here."""

from collections.abc import Mapping, MutableMapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Protocol, cast

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from accounts import tokens
from accounts.models import ApiToken, Membership, User
from accounts.policies import Actor, actor_for
from accounts.problems import Problem

# In the session: the workspace a person has chosen; the only one that the way they signed in may reach; that they have
# no way to sign in by themselves yet, and go no further before they made one.
WORKSPACE_KEY = "workspace"
BOUND_KEY = "bound_to_workspace"
ENROL_KEY = "enrol_first"


type Scope = dict[str, list[tuple[bytes, bytes]]]


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
        found = _joined(request.user, request.session) if request.user.is_authenticated else []
        request.memberships = found  # type: ignore[attr-defined]
    return cast("list[Membership]", request.memberships)  # type: ignore[attr-defined]


def actor_of(request: Request) -> Actor:
    """Who is asking. Raises Problem 401 when nobody is signed in, 403 no_workspace without a membership."""
    token = getattr(request, "auth", None) or getattr(request, "actor_token", None)
    if isinstance(token, ApiToken):
        return actor_for_token(token)
    if not request.user.is_authenticated:
        raise Problem(401, "not_signed_in", "Nobody is signed in.", "Sign in, or send an API token.")
    if request.session.get(ENROL_KEY):
        raise _enrol_first()
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


def scope_of(request: HttpRequest, *names: str) -> Scope:
    """Just enough of an ASGI scope to ask again, while a stream is open, who it is for: the headers of these names."""
    sent = {name.lower(): request.headers.get(name, "") for name in names}
    return {"headers": [(name.encode(), value.encode("latin1")) for name, value in sent.items() if value]}


async def still(actor: Actor, scope: Mapping[str, Any], wanted: str) -> Actor | None:
    """Who it is now, if what was opened for `actor`, with the right to `wanted`, may stay open."""
    now = await actor_from_scope(scope)
    if now is None or not now.may(wanted):
        return None
    return now if (now.user_id, now.workspace_id) == (actor.user_id, actor.workspace_id) else None


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
    free = isinstance(user, User) and not session.get(ENROL_KEY)
    membership = _chosen(_joined(cast("User", user), session), session) if free else None
    return actor_for(membership) if membership else None


def _enrol_first() -> Problem:
    detail = "Add a passkey or link an account. Until then only a code by e-mail lets you in."
    return Problem(403, "sign_in_method_needed", "Finish setting up your account.", detail, page="accounts:welcome")


def _joined(user: User, session: MutableMapping[str, Any]) -> list[Membership]:
    memberships = user.memberships.select_related("workspace").order_by("created_at", "pk")
    bound = session.get(BOUND_KEY)
    return list(memberships.filter(workspace=bound) if bound else memberships)


def _chosen(joined: list[Membership], session: MutableMapping[str, Any]) -> Membership | None:
    wanted = session.get(WORKSPACE_KEY)
    return next((one for one in joined if str(one.workspace_id) == wanted), joined[0] if joined else None)
