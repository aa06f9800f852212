"""What happens to a person's ways to sign in goes into the audit; allauth's and Django's signals say when. A sign-in
begins the age of its session, too."""

from collections.abc import Callable
from typing import Any, cast

from allauth.account import signals as account
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth
from django.dispatch import Signal

from accounts import audit, session_store
from accounts.models import User

Facts = Callable[[dict[str, Any]], str]


def _nothing(sent: dict[str, Any]) -> str:
    return ""


def _address(sent: dict[str, Any]) -> str:
    return str(sent["email_address"].email)


def _new_address(sent: dict[str, Any]) -> str:
    return str(sent["to_email_address"].email)


def _authenticator(sent: dict[str, Any]) -> str:
    """What kind it is and, for a passkey, its name."""
    found: Authenticator | None = sent.get("authenticator")
    if found is None:
        return ""
    wrapped: Any = found.wrap()  # type: ignore[no-untyped-call]
    name = getattr(wrapped, "name", "")
    kind = "Passkey" if found.type == Authenticator.Type.WEBAUTHN else found.get_type_display()
    return f"{kind} {name}".strip()


WRITTEN: tuple[tuple[Signal, str, Facts], ...] = (
    (account.user_signed_up, "identity.signed_up", _nothing),
    (account.email_confirmed, "identity.email_confirmed", _address),
    (account.email_added, "identity.email_added", _address),
    (account.email_removed, "identity.email_removed", _address),
    (account.email_changed, "identity.email_changed", _new_address),
    (account.password_set, "identity.password_set", _nothing),
    (account.password_changed, "identity.password_changed", _nothing),
    (account.password_reset, "identity.password_reset", _nothing),
    (account.login_code_rejected, "identity.code_rejected", _nothing),
    (account.password_reset_code_rejected, "identity.code_rejected", _nothing),
    (account.email_verification_code_rejected, "identity.code_rejected", _nothing),
    (mfa.authenticator_added, "identity.factor_added", _authenticator),
    (mfa.authenticator_removed, "identity.factor_removed", _authenticator),
    (mfa.authenticator_reset, "identity.factor_reset", _authenticator),
    (mfa.authentication_failed, "identity.factor_refused", _authenticator),
    (auth.user_logged_out, "identity.signed_out", _nothing),
)


def connect() -> None:
    for signal, action, facts in WRITTEN:
        signal.connect(_writer(action, facts), weak=False, dispatch_uid=f"audit.{action}.{id(signal)}")
    auth.user_logged_in.connect(_signed_in, dispatch_uid="audit.signed_in")
    auth.user_login_failed.connect(_refused, dispatch_uid="audit.sign_in_refused")


def _writer(action: str, facts: Facts) -> Callable[..., None]:
    def write(sender: Any, **sent: Any) -> None:
        person = sent.get("user") or getattr(sent.get("email_address"), "user", None)
        if isinstance(person, User):
            audit.record(action, user=person, target=facts(sent), request_ip=audit.ip_of(sent.get("request")))

    return write


def _signed_in(sender: Any, request: Any, user: Any, **_: Any) -> None:
    session_store.begin(request)
    methods = [record["method"] for record in get_authentication_records(request, user)]
    data = {"by": methods[-1]} if methods else {}
    audit.record("identity.signed_in", user=cast("User", user), data=data, request_ip=audit.ip_of(request))


def _refused(sender: Any, credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    """Whoever it was has proven nothing, so the entry is nobody's; the address they claimed is its target."""
    claimed = str(credentials.get("email") or credentials.get("login") or "")
    audit.record("identity.sign_in_refused", target=claimed, request_ip=audit.ip_of(request))
