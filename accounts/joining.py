"""Whether somebody who comes from an identity provider may make an account, and which workspace that opens.

Only ever as a member, unless a workspace maps claims of its own identity provider to roles.
"""

from dataclasses import fields
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from accounts import memberships, passkeys
from accounts.models import IdentityProvider, Membership, Role, User
from accounts.models.identity import GOOGLE_ISSUER
from accounts.oidc.verify import Claims


def may_sign_up(row: IdentityProvider, claims: Claims) -> bool:
    """By the provider's own rule or its claim map. The address need not be proven yet: an account is usable only once
    it is."""
    if claims.role and row.workspace_id is not None:
        return True
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
    if _opens(row, claims, user):
        place = row.workspace or memberships.first_workspace()
        if not user.memberships.filter(workspace=place).exists():
            memberships.grant(user, place, Role.MEMBER, follows=row if row.roles else None)


# ---------------------------------------------------------------- roles by claim
def follow_all(user: User) -> None:
    """After a change of the person's passkeys: administering by claim takes one."""
    for account in SocialAccount.objects.filter(user=user).order_by("pk"):
        follow(account)


@transaction.atomic
def follow(account: SocialAccount) -> None:
    """Bring the membership that the provider's claim map gives up to the claims that were kept last: made, promoted
    (administering takes a passkey), demoted or ended. A membership that a person gave is left alone."""
    row = provider_of(account)
    if row is None or row.workspace is None or not (row.roles and row.usable):
        return
    user, place = account.user, memberships.lock(row.workspace.pk)
    membership = Membership.objects.filter(user=user, workspace=place).first()
    if membership and membership.follows_id != row.pk:
        return
    role = _role_by(row, claims_of(account), user)
    if role:
        memberships.grant(user, place, role, follows=row)
    elif membership:
        memberships.revoke(membership)


def _role_by(row: IdentityProvider, claims: Claims, user: User) -> Role | None:
    if claims.role == Role.ADMIN and passkeys.of(user).exists():
        return Role.ADMIN
    if claims.role in {Role.ADMIN, Role.MEMBER} or _opens(row, claims, user):
        return Role.MEMBER
    return None


def _opens(row: IdentityProvider, claims: Claims, user: User) -> bool:
    """Whether the provider's rule makes `user` a member."""
    proven = set(EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True))
    by_domain = row.sign_up == IdentityProvider.SignUp.DOMAIN and _in_domain(row, claims, proven)
    return row.sign_up == IdentityProvider.SignUp.OPEN or by_domain


# ---------------------------------------------------------------- what is stored of them
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
