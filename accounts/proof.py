"""How lately, and by what, the person behind a session proved who they are.

A sign-in counts as proof for as long as a repeated one does: somebody who has just used a passkey is not asked for it
again on the next page. Whoever owns no factor can only repeat what they have, the e-mailed code.
"""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from accounts.models import User
from accounts.problems import Problem

STRONG_FOR = 4 * 3600  # seconds a passkey opens the console
# Seconds within which a record belongs to the sign-in that is being completed: its last step may wait for a code.
ONE_SIGN_IN = app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT


def require_recent(request: HttpRequest) -> None:
    """Let pass who proved their identity in the last minutes; others are sent to do it and come back."""
    raise_if_reauthentication_required(request, app="accounts")


def require_recent_session(request: Any, user: User) -> None:
    """The same for an API call that a browser session makes; nothing can be resumed there. Raises Problem 403."""
    if not is_recent(request, user):
        raise Problem(403, "proof_needed", "Prove who you are again.", "Use your passkey in the browser, or a token.")


def has_factor(user: User) -> bool:
    """Whether `user` owns anything that can be asked for again: a passkey, a recovery code, a password."""
    return user.has_usable_password() or Authenticator.objects.filter(user=user).exists()


def is_recent(request: HttpRequest, user: User) -> bool:
    proofs = [record["at"] for record in get_authentication_records(request, user) if record.get("reauthenticated")]
    return bool(proofs) and time.time() - proofs[-1] < app_settings.REAUTHENTICATION_TIMEOUT


def is_strong(request: HttpRequest, user: User) -> bool:
    """Whether a passkey was used in this session within the last four hours."""
    uses = [
        record["at"]
        for record in get_authentication_records(request, user)
        if record["method"] == "mfa" and record.get("type") == Authenticator.Type.WEBAUTHN
    ]
    return bool(uses) and time.time() - max(uses) < STRONG_FOR


def record_passkey(request: HttpRequest, user: User, passkey: Authenticator) -> None:
    """Creating a passkey verified the person just as using it does."""
    record_authentication(request, user, "mfa", id=passkey.pk, type=passkey.type, reauthenticated=True)


def record_link(request: HttpRequest, user: User) -> None:
    record_authentication(request, user, "link", reauthenticated=True)


def record_sign_up(request: HttpRequest, user: User) -> None:
    """Whoever has just made the account has nothing to take from it."""
    record_authentication(request, user, "sign_up", reauthenticated=True)


def this_sign_in(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    """The steps of the sign-in that is being completed, oldest first."""
    records: list[dict[str, Any]] = get_authentication_records(request, user)
    return records if records and time.time() - records[-1]["at"] <= ONE_SIGN_IN else []


def record_sign_in(request: HttpRequest, user: User) -> None:
    """Let the sign-in that has just succeeded count as proof: an e-mailed code only where there is nothing better, an
    identity provider never, since a browser that is left open may pass it without a word."""
    steps = this_sign_in(request, user)
    if not steps:
        return
    last = dict(steps[-1])
    if last["method"] == "mfa" or not (has_factor(user) or last["method"] == "socialaccount"):
        del last["at"]
        record_authentication(request, user, **(last | {"reauthenticated": True}))
