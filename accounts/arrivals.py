"""Somebody who came by an invitation's link: known to their session until they have an account that can accept it."""

from django.http import HttpRequest

from accounts import invitations
from accounts.actors import WORKSPACE_KEY
from accounts.models import Invitation, User

SESSION_KEY = "invitation"  # the link's token; it opens nothing without the mailbox it was sent to


def expect(request: HttpRequest, token: str) -> None:
    request.session[SESSION_KEY] = token


def expected(request: HttpRequest) -> Invitation | None:
    """The open invitation whose link this session came by."""
    token = request.session.get(SESSION_KEY)
    found = invitations.behind(token) if token else None
    return found if found and found.state == "open" else None


def admits(request: HttpRequest, email: str) -> bool:
    """Whether an account for this address may be made although sign-up is closed."""
    invitation = expected(request)
    return invitation is not None and invitation.email == email.lower()


def arrive(request: HttpRequest, user: User) -> bool:
    """At the first sign-in, which follows a proven address: into the workspace of the invitation, if there is one."""
    invitation = expected(request)
    if invitation is None or not invitations.is_for(invitation, user):
        return False
    invitations.accept(user, request.session.pop(SESSION_KEY))
    request.session[WORKSPACE_KEY] = str(invitation.workspace_id)
    return True
