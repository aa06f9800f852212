"""What a person's passkeys are, and that the last one stays."""

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import WebAuthn
from allauth.mfa.webauthn.internal.flows import remove_authenticator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User


class LastMethod(Exception):
    """Removing this passkey would leave the person without a way to sign in."""


def of(user: User) -> QuerySet[Authenticator]:
    """All WebAuthn keys of `user`, oldest first."""
    keys: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return keys.order_by("created_at", "pk")


def signs_in(key: Authenticator) -> bool:
    """Whether `key` signs in by itself. Some authenticators do not say; those get the benefit of the doubt."""
    return WebAuthn(key).is_passwordless is not False


def is_last_method(user: User, key: Authenticator) -> bool:
    """Codes by e-mail and recovery codes are for recovery and do not count as ways to sign in."""
    return not any(signs_in(other) for other in of(user) if other.pk != key.pk)


@transaction.atomic
def remove(request: HttpRequest, user: User, key: Authenticator) -> None:
    """Remove `key` and tell its owner by mail. Raises LastMethod, also for two removals at the same moment."""
    User.objects.select_for_update().get(pk=user.pk)
    if is_last_method(user, key):
        raise LastMethod
    remove_authenticator(request, key)
