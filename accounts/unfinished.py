"""Accounts that somebody began and nobody finished: no proven address, no way to sign in, never entered. They hold
nothing, and must not stand in the way of the address's owner."""

from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, proof
from accounts.models import User

KEPT_FOR = timedelta(hours=24)


def begun() -> QuerySet[User]:
    """Those of anybody, at any age."""
    own = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    keys = Authenticator.objects.filter(user=OuterRef("pk"))
    rows = User.objects.filter(last_login=None, is_superuser=False, memberships=None)
    return rows.exclude(Exists(own)).exclude(Exists(keys))


def forget(email: str) -> None:
    """Remove what somebody else began with this address: its owner comes."""
    for pk in begun().filter(email__iexact=email).values_list("pk", flat=True):
        _remove(begun(), pk)


def claim(request: HttpRequest, user: User) -> None:
    """At the first sign-in, which proves the address: a linked account stays only if it is the way the person came.
    Whoever began with an address that was not theirs may have left one behind."""
    came = {(step.get("provider"), step.get("uid")) for step in proof.this_sign_in(request, user)}
    for account in SocialAccount.objects.filter(user=user):
        if (account.provider, account.uid) not in came:
            left = {"provider": account.provider, "subject": account.uid}
            audit.record("identity.unproven_removed", user=user, target=f"user:{user.pk}", data=left)
            account.delete()


# ---------------------------------------------------------------- by age
def due(now: datetime | None = None) -> QuerySet[User]:
    """What `purge` removes. Who came from an identity provider can still go on where they stopped, so they stay."""
    linked = SocialAccount.objects.filter(user=OuterRef("pk"))
    return begun().filter(date_joined__lt=(now or timezone.now()) - KEPT_FOR).exclude(Exists(linked))


def purge(now: datetime | None = None) -> int:
    """Remove what was begun a day ago and not finished; how many there were. Several processes may do it at once."""
    return sum(_remove(due(now), pk) for pk in list(due(now).values_list("pk", flat=True)))


@transaction.atomic
def _remove(rows: QuerySet[User], pk: UUID) -> bool:
    """Under the locks of the person and their addresses, so that nobody removes an account while its owner proves it;
    False when somebody is at it, or was."""
    user = User.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if user is None:
        return False
    list(EmailAddress.objects.select_for_update().filter(user=user))
    if not rows.filter(pk=pk).exists():
        return False
    audit.record("identity.unproven_removed", target=f"user:{user.pk}", data={"email": user.email})
    user.delete()
    return True
