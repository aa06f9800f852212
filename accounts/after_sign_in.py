"""What a sign-in leaves behind: marks in the session, a word on their list, a clean slate after a recovery."""

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest

from accounts import audit, joining, methods, proof, tokens
from accounts.actors import BOUND_KEY, ENROL_KEY
from accounts.models import ApiToken, IdentityProvider, User

WORDS = {"mfa": "passkey", "code": "code by email", "link": "sign-in link", "sign_up": "new account"}
RECOVERED = (
    "You came in with a recovery code, so you are signed out everywhere else and your API tokens are revoked. "
    "Add a new passkey and remove the lost one."
)


def settle(request: HttpRequest, user: User) -> bool:
    """Mark the session by how the person came in; whether they own a way to sign in by themselves."""
    steps = proof.this_sign_in(request, user)
    used = {step.get("type") for step in steps if step["method"] == "mfa"}
    for key in (BOUND_KEY, ENROL_KEY):
        request.session.pop(key, None)
    alone = bool(methods.usable(user))
    if not alone:
        request.session[ENROL_KEY] = True
    via = next((step["provider"] for step in steps if step["method"] == "socialaccount"), None)
    for account in SocialAccount.objects.filter(user=user, provider=via):
        joining.follow(account)
    row = IdentityProvider.objects.filter(slug=via).first() if via and not used else None
    if row and not row.vouched:
        request.session[BOUND_KEY] = str(row.workspace_id)
    if Authenticator.Type.RECOVERY_CODES in used:
        _recovered(request, user)
    return alone


def enrolled(request: HttpRequest) -> None:
    """The person has made a way to sign in by themselves: nothing is kept from them any more."""
    request.session.pop(ENROL_KEY, None)


def list_session(request: HttpRequest, user: User) -> None:
    """For a sign-in that does not go through allauth, which lists the others itself."""
    UserSession.objects.create_from_request(request)
    note(request, user)


def note(request: HttpRequest, user: User) -> None:
    """Write on the list of sessions how this one began."""
    steps = [step for step in proof.this_sign_in(request, user) if step["method"] != "sign_up"]
    if not steps:
        return
    last = steps[-1]
    word = WORDS.get(last["method"], "")
    if last.get("type") == Authenticator.Type.RECOVERY_CODES:
        word = "recovery code"
    elif last["method"] == "socialaccount":
        word = IdentityProvider.objects.filter(slug=last["provider"]).values_list("name", flat=True).first() or ""
    UserSession.objects.filter(session_key=request.session.session_key).update(data={"by": word})


def _recovered(request: HttpRequest, user: User) -> None:
    """Whoever has the lost device may still be signed in on it."""
    end_other_sessions(request, user)
    for token in ApiToken.objects.filter(user=user, revoked_at=None).select_related("user"):
        tokens.revoke(token, by=user)
    audit.record("identity.recovered", user=user, target=user.email)
    get_adapter(request).send_notification_mail("accounts/email/recovered", user)
    messages.warning(request, RECOVERED)
