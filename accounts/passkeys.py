"""A person's passkeys; which ways to sign in they have altogether is `methods`."""

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.db.models import QuerySet

from accounts.models import User

BACKED_UP = 0x10  # the bit of the authenticator data that says a platform has synced the key


def of(user: User) -> QuerySet[Authenticator]:
    """All WebAuthn keys of `user`, oldest first."""
    keys: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return keys.order_by("created_at", "pk")


def signs_in(key: Authenticator) -> bool:
    """Whether `key` signs in by itself. Some authenticators do not say; those get the benefit of the doubt."""
    return WebAuthn(key).is_passwordless is not False


def is_synced(key: Authenticator) -> bool:
    return bool(WebAuthn(key).authenticator_data.flags & BACKED_UP)
