"""What every page knows; nothing is read from the database before a template asks for it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.actors import membership_of, memberships_of
from accounts.policies import actor_for
from chat.lists import Group, recent
from providers.standing import Mark, marks, summary


def workspace(request: HttpRequest) -> dict[str, Any]:
    """`membership` and `workspace` (None when nobody is signed in), `workspaces` to switch between,
    `conversations` by date, `provider_health` in one mark, `development`."""
    signed_in = hasattr(request, "user") and request.user.is_authenticated
    membership = membership_of(request) if signed_in else None

    def conversations() -> list[Group]:
        return recent(actor_for(membership)) if membership else []

    def health() -> Mark | None:
        return summary(marks(actor_for(membership))) if membership else None

    return {
        "membership": membership,
        "workspace": membership.workspace if membership else None,
        "workspaces": [one.workspace for one in memberships_of(request)] if signed_in else [],
        "conversations": SimpleLazyObject(conversations),
        "provider_health": SimpleLazyObject(health),
        "development": settings.DEVELOPMENT,
    }
