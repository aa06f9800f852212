"""Inviting somebody into a workspace by mail, and accepting: the way in where sign-up is closed."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts import audit, memberships
from accounts.models import Invitation, Membership, Role, User, Workspace
from accounts.policies import Actor, assignable_roles, not_allowed, require_administering
from accounts.problems import Problem, not_found

LIFETIME = timedelta(days=7)
MOST_PENDING = 200
MOST_AN_HOUR = 50


# ---------------------------------------------------------------- sending
def invite(actor: Actor, email: str, role: Role, origin: str) -> tuple[Invitation, str]:
    """Invite an address, or renew the invitation it has; the mail goes out once that is stored.

    Gives the invitation and the address of its link under `origin` (scheme and host), which nobody can read again.
    Raises Problem 403 (not an administrator, or a role above one's own), 409 (already a member), 429 (too many).
    """
    require_administering(actor)
    if role not in assignable_roles(actor.role):
        raise not_allowed("You may not give this role.", "Invite as a member, or ask an owner.")
    token = secrets.token_urlsafe(32)
    invitation = _keep(actor, email.strip().lower(), role, _digest(token))
    link = origin + reverse("accounts:invitation", args=[token])
    transaction.on_commit(lambda: _send(invitation, link))
    return invitation, link


@transaction.atomic
def _keep(actor: Actor, email: str, role: Role, digest: str) -> Invitation:
    workspace = memberships.lock(actor.workspace_id)
    if Membership.objects.filter(workspace=workspace, user__email__iexact=email).exists():
        raise Problem(409, "already_member", "This person is a member already.", "Change their role instead.")
    _refuse_too_many(workspace)
    now = timezone.now()
    values = {"role": role, "digest": digest, "invited_by_id": actor.user_id}
    invitation, _ = Invitation.objects.update_or_create(
        workspace=workspace,
        email=email,
        accepted_at=None,
        revoked_at=None,
        defaults=values | {"sent_at": now, "expires_at": now + LIFETIME},
    )
    _note("invitation.sent", invitation, actor.user_id)
    return invitation


def _refuse_too_many(workspace: Workspace) -> None:
    sent = Invitation.objects.filter(workspace=workspace)
    lately = sent.filter(sent_at__gt=timezone.now() - timedelta(hours=1)).count()
    if lately >= MOST_AN_HOUR or sent.filter(accepted_at=None, revoked_at=None).count() >= MOST_PENDING:
        raise Problem(429, "too_many_invitations", "Too many invitations.", "Wait an hour, or take some back.")


def _send(invitation: Invitation, link: str) -> None:
    inviter = invitation.invited_by
    words = {"invitation": invitation, "workspace": invitation.workspace, "inviter": inviter, "link": link}
    subject = render_to_string("accounts/email/invitation_subject.txt", words).strip()
    body = render_to_string("accounts/email/invitation_message.txt", words)
    EmailMessage(subject, body, to=[invitation.email]).send()


def pending(actor: Actor) -> list[Invitation]:
    """What is open or has expired, for administrators; nothing for others."""
    if not actor.administers:
        return []
    rows = Invitation.objects.filter(workspace_id=actor.workspace_id, accepted_at=None, revoked_at=None)
    return list(rows.select_related("invited_by"))


@transaction.atomic
def take_back(actor: Actor, pk: UUID) -> Invitation:
    """Raises Problem 404, or 403 for who is no administrator."""
    require_administering(actor)
    rows = Invitation.objects.select_for_update().filter(workspace_id=actor.workspace_id)
    invitation = rows.filter(pk=pk, accepted_at=None, revoked_at=None).first()
    if invitation is None:
        raise not_found()
    _revoke(invitation, actor.user_id)
    return invitation


@transaction.atomic
def revoke(rows: QuerySet[Invitation], by: UUID) -> int:
    """Take back those of `rows` that are pending, by somebody who was already allowed to; how many there were."""
    pending_rows = list(rows.select_for_update(of=("self",)).filter(accepted_at=None, revoked_at=None))
    for invitation in pending_rows:
        _revoke(invitation, by)
    return len(pending_rows)


def _revoke(invitation: Invitation, by: UUID) -> None:
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    _note("invitation.revoked", invitation, by)


# ---------------------------------------------------------------- accepting
def behind(token: str) -> Invitation | None:
    """The invitation a link was made for, in whatever state; None for a link of ours that was taken back or whose
    sender's account was closed, or of nobody."""
    rows = Invitation.objects.select_related("workspace", "invited_by").filter(digest=_digest(token), revoked_at=None)
    return rows.exclude(invited_by__is_active=False).first()


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether `user` has proven that the invited address is theirs."""
    return EmailAddress.objects.filter(user=user, email__iexact=invitation.email, verified=True).exists()


@transaction.atomic
def accept(user: User, token: str) -> Membership:
    """Use the link up. A member keeps the role they have. Raises Problem 404, 403, 410 (over)."""
    found = behind(token)
    if found is None:
        raise not_found()
    memberships.lock(found.workspace_id)
    invitation = Invitation.objects.select_for_update().get(pk=found.pk)
    if not is_for(invitation, user):
        detail = f"Sign in as {invitation.email} to accept it."
        raise Problem(403, "other_address", "This invitation is for another address.", detail)
    if invitation.state != "open":
        raise Problem(410, f"invitation_{invitation.state}", "This invitation is over.", "Ask for a new one.")
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    _note("invitation.accepted", invitation, user.pk)
    existing = Membership.objects.filter(user=user, workspace_id=invitation.workspace_id).first()
    return existing or memberships.grant(user, found.workspace, Role(invitation.role), by=user)


def _note(action: str, invitation: Invitation, by: UUID) -> None:
    data = {"role": str(invitation.role)}
    audit.record(action, user=by, workspace_id=invitation.workspace_id, target=invitation.email, data=data)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
