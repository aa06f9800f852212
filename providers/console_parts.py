"""What the providers' pages in the console share with each other and with its first page; it registers none of them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone

from accounts.actors import membership_of
from accounts.console import administered
from accounts.models import Role
from accounts.policies import Actor, actor_for
from providers import checks, registry, status, status_words
from providers.models import Credential

NOWHERE = UUID(int=0)


def acting(request: HttpRequest) -> Actor:
    """As whom an administrator looks and starts something here: in the workspace they have chosen, else in one that
    they administer. A superuser without any workspace sees what belongs to nobody."""
    membership = membership_of(request)
    if membership is not None and actor_for(membership).administers:
        return actor_for(membership)
    workspace = administered(request.user).order_by("created_at", "pk").first()
    user_id: UUID = request.user.pk  # type: ignore[assignment]
    return Actor(user_id, workspace.pk if workspace else NOWHERE, Role.ADMIN)


def health_of(request: HttpRequest) -> dict[str, Any]:
    """What the pages say of the providers' health. Four queries, five while one is in trouble."""
    now = timezone.now()
    lines = status.lines(acting(request), now)
    return {
        "lines": lines,
        "overall": status_words.overall([line.mark for line in lines]),
        "checked": status.checked_words(lines, now),
    }


def label(provider_id: str) -> str:
    known = registry.providers().get(provider_id)
    return known.label if known else provider_id


def check_and_tell(request: HttpRequest, ref: str, provider: str) -> None:
    """Ask the provider now, and say how it went."""
    result = checks.check_from_thread(ref)
    match checks.state_after(result):
        case Credential.State.WORKING:
            messages.success(request, f"{provider} accepted the key in {result.latency_ms} ms.")
        case Credential.State.REFUSED:
            messages.error(request, f"{provider} refused the key.")
        case _:
            messages.warning(request, f"{provider} did not answer, so the key is not checked yet.")
