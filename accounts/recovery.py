"""For somebody who lost their device and their recovery codes: an administrator takes every way in off the account, and
its owner comes back through the mailbox alone. Whoever resets is shown nothing that opens it."""

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from accounts import audit, joining, memberships, tokens
from accounts.models import ApiToken, Membership, Role, SignInLink, User
from accounts.policies import assignable_roles
from accounts.problems import Problem


def refusal(by: User, person: User) -> str:
    """Why `by` may not reset how `person` signs in; empty when they may. It takes a role above or equal to theirs in
    every workspace that they are in, so that nobody reaches into another one this way."""
    if by.pk == person.pk:
        return "Your own passkeys and recovery codes are on your page Accounts and passkeys."
    own = dict(Membership.objects.filter(user=by).values_list("workspace", "role"))
    theirs = Membership.objects.filter(user=person).values_list("workspace", "role")
    beyond = [place for place, role in theirs if not _reaches(own.get(place), role)]
    if not by.is_superuser and (beyond or not theirs or person.is_superuser):
        return "It takes somebody who may give this person's role in each of their workspaces, or a superuser."
    return unreachable(person)


def unreachable(person: User) -> str:
    """Why a reset would leave `person` outside; empty when their mailbox lets them in again."""
    proven = EmailAddress.objects.filter(user=person, email__iexact=person.email, verified=True).exists()
    return "" if person.is_active and proven else "The account is closed, or its address was never proven."


def _reaches(own: str | None, role: str) -> bool:
    return own is not None and Role(role) in assignable_roles(Role(own))


@transaction.atomic
def reset(person: User, by: User | None, origin: str) -> None:
    """Remove passkeys, recovery codes and linked accounts, end all sessions, revoke the API tokens, and send the mail
    that says how to come back. `by` is None for the operator at the command line. Raises Problem 403."""
    places = sorted(person.memberships.values_list("workspace", flat=True))
    for place in places:
        memberships.lock(place)
    if reason := refusal(by, person) if by else unreachable(person):
        raise Problem(403, "not_allowed", "You may not reset how this person signs in.", reason)
    chains: list[UUID | None] = [*places] or [None]
    for chain in chains:
        audit.record("member.sign_in_reset", user=by, workspace_id=chain, target=person.email)
    Authenticator.objects.filter(user=person).delete()
    joining.follow_all(person)
    SocialAccount.objects.filter(user=person).delete()
    SignInLink.objects.filter(user=person).delete()
    for token in ApiToken.objects.filter(user=person, revoked_at=None).select_related("user"):
        tokens.revoke(token, by=by)
    for session in UserSession.objects.filter(user=person):
        session.end()
    person.set_unusable_password()  # a new one, which ends what no list knows of
    person.save(update_fields=["password"])
    words: dict[str, Any] = {"person": person, "by": by, "sign_in": origin + reverse("account_login")}
    transaction.on_commit(lambda: _tell(person, words))


def _tell(person: User, words: dict[str, Any]) -> None:
    subject = render_to_string("accounts/email/sign_in_reset_subject.txt", words).strip()
    body = render_to_string("accounts/email/sign_in_reset_message.txt", words)
    EmailMessage(subject, body, to=[person.email]).send()
