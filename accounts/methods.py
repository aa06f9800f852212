"""The ways a person can sign in by themselves, and that the last one stays.

Codes by e-mail and recovery codes are for recovery and do not count.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import flows
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.http import HttpRequest

from accounts import joining, passkeys
from accounts.models import IdentityProvider, User


class LastMethod(Exception):
    """The change would leave the person without a way to sign in."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way in; `pk` is the row of its kind."""

    kind: type[Authenticator] | type[SocialAccount]
    pk: Any


def usable(user: User) -> set[Method]:
    """Passkeys that sign in alone, and linked accounts whose identity provider can be used now."""
    offered = IdentityProvider.objects.offered().values("slug")
    linked = SocialAccount.objects.filter(user=user, provider__in=offered).values_list("pk", flat=True)
    keys = {Method(Authenticator, key.pk) for key in passkeys.of(user) if passkeys.signs_in(key)}
    return keys | {Method(SocialAccount, pk) for pk in linked}


def is_last(user: User, row: Authenticator | SocialAccount) -> bool:
    """Whether nothing would be left without `row`."""
    return not usable(user) - {Method(type(row), row.pk)}


@contextmanager
def removing(user: User, row: Authenticator | SocialAccount) -> Iterator[None]:
    """A transaction in which `row` may be removed. Raises LastMethod, also for two removals at the same moment."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if is_last(user, row):
            raise LastMethod
        yield


def remove_passkey(request: HttpRequest, user: User, key: Authenticator) -> None:
    """Take `key` away, with a mail and an entry in the audit. Raises LastMethod."""
    with removing(user, key):
        flows.remove_authenticator(request, key)
        joining.follow_all(user)


def stranded_without(provider: IdentityProvider) -> list[str]:
    """The addresses of people who could no longer sign in by themselves if `provider` were turned off."""
    people = User.objects.filter(socialaccount__provider=provider.slug, is_active=True).distinct().order_by("email")
    gone = {Method(SocialAccount, pk) for pk in provider.accounts().values_list("pk", flat=True)}
    return [user.email for user in people if not usable(user) - gone]
