"""Whether somebody who comes from an identity provider may make an account, and which workspace that opens.

Only ever as a member: no role comes from signing in.
"""

from dataclasses import fields
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from accounts import memberships
from accounts.models import IdentityProvider, Role, User
from accounts.models.identity import GOOGLE_ISSUER
from accounts.oidc.verify import Claims


def may_sign_up(row: IdentityProvider, claims: Claims) -> bool:
    """By the provider's own rule. The address need not be proven yet: an account is usable only once it is."""
    match row.sign_up:
        case IdentityProvider.SignUp.OPEN:
            return True
        case IdentityProvider.SignUp.DOMAIN:
            return _in_domain(row, claims, {claims.email})
    return False


def first_sign_in(user: User, *, open_to_all: bool) -> None:
    """What a new account opens: its identity provider's workspace, or, where anybody may sign up, the first one."""
    account = SocialAccount.objects.filter(user=user).first()
    row = provider_of(account) if account else None
    if account and row:
        through(row, claims_of(account), user)
    elif open_to_all:
        memberships.join_as_member(user)


def through(row: IdentityProvider, claims: Claims, user: User) -> None:
    """Make `user` a member where the provider's rule says so, if they are not one. Their addresses must be proven."""
    proven = set(EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True))
    if row.sign_up == IdentityProvider.SignUp.OPEN or (
        row.sign_up == IdentityProvider.SignUp.DOMAIN and _in_domain(row, claims, proven)
    ):
        place = row.workspace or memberships.first_workspace()
        if not user.memberships.filter(workspace=place).exists():
            memberships.grant(user, place, Role.MEMBER)


def provider_of(account: SocialAccount) -> IdentityProvider | None:
    rows = IdentityProvider.objects.filter(slug=account.provider).select_related("workspace")
    found: IdentityProvider | None = rows.first()
    return found


def claims_of(account: SocialAccount) -> Claims:
    """The claims that were kept when the person came last."""
    stored: dict[str, Any] = {"issuer": "", "subject": account.uid} | account.extra_data
    return Claims(**{field.name: stored[field.name] for field in fields(Claims) if field.name in stored})


def _in_domain(row: IdentityProvider, claims: Claims, addresses: set[str]) -> bool:
    """Google says whose domain an account belongs to; elsewhere the mailbox must be in it."""
    if row.issuer == GOOGLE_ISSUER:
        return claims.hosted_domain in row.domains
    return any(address.rpartition("@")[2].lower() in row.domains for address in addresses if address)
