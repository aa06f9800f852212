"""Where a person is signed in, and signing them out there. What a sign-in leaves behind is `after_sign_in`."""

from datetime import datetime

from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, devices
from accounts.models import User
from accounts.problems import not_found


def living(user: User) -> list[UserSession]:
    """Those that can still be used, the one that asks first and then the newest."""
    found: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(found, key=lambda one: (one.is_current(), one.last_seen_at), reverse=True)


def end(request: HttpRequest, user: User, pk: int) -> None:
    """Sign `user` out of one session, this one included; its sockets and streams close soon. Raises Problem 404."""
    session = UserSession.objects.filter(pk=pk, user=user).first()
    if session is None:
        raise not_found()
    audit.record("identity.session_ended", user=user, target=devices.describe(session.user_agent))
    end_sessions(request, [session])


def end_others(request: HttpRequest, user: User) -> None:
    """Sign `user` out everywhere but here; a request that has no session leaves none."""
    audit.record("identity.other_sessions_ended", user=user)
    end_other_sessions(request, user)


# ---------------------------------------------------------------- by age
def ended(now: datetime | None = None) -> QuerySet[Session]:
    """Those of anybody that nobody can use any more."""
    return Session.objects.filter(expire_date__lt=now or timezone.now())


def purge(now: datetime | None = None) -> int:
    """Remove them, and from people's lists what is gone: those hold addresses. How many sessions there were."""
    rows = ended(now)
    UserSession.objects.filter(session_key__in=rows.values("session_key")).delete()
    return rows.delete()[0]
