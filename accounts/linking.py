"""Linking an account at an identity provider to a person here, and taking it off again.

Never by e-mail alone: a link is held, its owner proves the existing account, and confirms by name what is linked.
"""

import time
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest

from accounts import audit, joining, methods
from accounts.models import IdentityProvider, User
from accounts.oidc.verify import Claims

HELD_FOR = 600  # seconds in which a link can be confirmed
KEY = "pending_link"  # in the session


class LinkedElsewhere(Exception):
    """This account at the identity provider belongs to another person here, or to this one already."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A link that waits for its confirmation by one person."""

    provider: IdentityProvider
    claims: Claims
    target: UUID


# ---------------------------------------------------------------- what there is
def listed() -> list[IdentityProvider]:
    """The identity providers that the sign-in page names."""
    return list(IdentityProvider.objects.offered().filter(listed=True))


def linkable(user: User) -> list[IdentityProvider]:
    """What a person may still link: the installation's identity providers and those of their workspaces."""
    own = Q(workspace=None) | Q(workspace__memberships__user=user)
    done = SocialAccount.objects.filter(user=user).values("provider")
    return list(IdentityProvider.objects.offered().filter(own).exclude(slug__in=done).distinct())


def linked(user: User) -> list[tuple[SocialAccount, IdentityProvider | None]]:
    """A person's linked accounts, oldest first, each with its identity provider, whether that is turned on or not."""
    found = list(SocialAccount.objects.filter(user=user).order_by("date_joined", "pk"))
    rows = {row.slug: row for row in IdentityProvider.objects.filter(slug__in=[one.provider for one in found])}
    return [(one, rows.get(one.provider)) for one in found]


def name_of(account: SocialAccount) -> str:
    """The identity provider's, as people know it."""
    row = joining.provider_of(account)
    return row.name if row else str(account.provider)


# ---------------------------------------------------------------- linking
def hold(request: HttpRequest, provider: IdentityProvider, claims: Claims, target: User) -> None:
    """Keep a link for `HELD_FOR` seconds; an earlier one that waited is dropped."""
    kept = {"slug": provider.slug, "claims": asdict(claims), "target": str(target.pk), "at": time.time()}
    request.session[KEY] = kept


def held(request: HttpRequest) -> Pending | None:
    """The link that waits in this session, if it is not too old and its provider can still be used."""
    kept: dict[str, Any] | None = request.session.get(KEY)
    if kept is None or not 0 <= time.time() - kept["at"] < HELD_FOR:
        return None
    provider = IdentityProvider.objects.offered().filter(slug=kept["slug"]).select_related("workspace").first()
    return Pending(provider, Claims(**kept["claims"]), UUID(kept["target"])) if provider else None


def drop(request: HttpRequest) -> None:
    request.session.pop(KEY, None)


def owner_of(email: str) -> User | None:
    """The person who has proven that `email` is theirs."""
    address = EmailAddress.objects.filter(email__iexact=email, verified=True, user__is_active=True)
    found = address.select_related("user").first()
    return found.user if found else None


def confirm(request: HttpRequest, pending: Pending, user: User) -> SocialAccount:
    """Link it, tell both addresses, write it down. Raises LinkedElsewhere."""
    drop(request)
    try:
        with transaction.atomic():
            account = SocialAccount.objects.create(
                user=user, provider=pending.provider.slug, uid=pending.claims.subject, extra_data=asdict(pending.claims)
            )
            joining.through(pending.provider, pending.claims, user)
            joining.follow(account)
            _record("identity.linked", user, account)
    except IntegrityError:
        raise LinkedElsewhere from None
    _tell(request, "connected", account, pending.provider.name)
    return account


def unlink(request: HttpRequest, user: User, account: SocialAccount) -> None:
    """Take `account` off, tell both addresses, write it down. Raises methods.LastMethod."""
    name = name_of(account)
    with methods.removing(user, account):
        account.delete()
        _record("identity.unlinked", user, account)
    _tell(request, "disconnected", account, name)


def _tell(request: HttpRequest, what: str, account: SocialAccount, name: str) -> None:
    """The account's own address, and the one at the identity provider where it is another."""
    context = {"account": account, "provider_name": name, "theirs": account.extra_data.get("email", "")}
    adapter = get_adapter(request)
    adapter.send_notification_mail(f"socialaccount/email/account_{what}", account.user, context=context)
    if context["theirs"] and context["theirs"] != account.user.email and account.extra_data.get("email_verified"):
        adapter.send_notification_mail(
            f"socialaccount/email/account_{what}", account.user, context=context, email=context["theirs"]
        )


def _record(action: str, user: User, account: SocialAccount) -> None:
    data = {"provider": account.provider, "subject": account.uid, "email": account.extra_data.get("email", "")}
    audit.record(action, user=user, target=f"user:{user.pk}", data=data)
