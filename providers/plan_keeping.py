"""Signing in with one's own ChatGPT plan: a person for themselves, never for a workspace. Renewing is `renewal`'s."""

import hashlib
import hmac
import logging
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from accounts.oidc import verify
from accounts.oidc.refusals import Refused
from accounts.policies import Actor
from accounts.problems import Problem
from providers import credentials, redaction, session_keeping
from providers.models import Credential
from providers.preferences import AuthMode
from providers.secrets import hint
from providers.sessions import openai_chatgpt
from providers.sessions.base import Ended, Fetched, Stored

log = logging.getLogger(__name__)

PROVIDER = "openai"


def require_allowed(*, allowed: bool) -> None:
    if not allowed:
        raise Problem(
            403,
            "policy_denied",
            "This installation does not offer the use of ChatGPT plans.",
            "The operator may allow it on a machine of one's own.",
        )


def client_id(actor: Actor) -> str:
    """The id that the vendor issued to this person's sign-in, or the one to begin with."""
    rows = Credential.objects.visible_to(actor).filter(
        user_id=actor.user_id, provider_id=PROVIDER, method=Credential.Method.OPENAI_CHATGPT
    )
    known = rows.values_list("exchange", flat=True).first()
    return str(known["client_id"]) if known else openai_chatgpt.FIRST_CLIENT


def host() -> str:
    """What the vendor knows this installation by."""
    digest = hmac.new(settings.FINGERPRINT_PEPPER.encode(), b"chatgpt plan host", hashlib.sha256).digest()
    return uuid.UUID(bytes=digest[:16], version=4).urn


async def signed_in(asked: openai_chatgpt.Asked, issued: str, code: str) -> Fetched:
    """What the code of a sign-in gives, once its identity token is found to be made by the vendor for this very
    sign-in. Raises Ended or Unreachable."""
    fetched, token = await openai_chatgpt.redeemed(asked, issued, code)
    keys = await openai_chatgpt.signing_keys()
    expected = verify.Expected(openai_chatgpt.ISSUER, issued, asked.nonce)
    try:
        told = verify.verified(token, lambda _: keys, expected)
    except Refused as refused:
        log.warning("A sign-in with ChatGPT was refused: %s", refused.detail)
        raise Ended("the identity token does not belong to this sign-in") from None
    return replace(fetched, account=openai_chatgpt.account(told))


def keep(actor: Actor, fetched: Fetched, issued: str) -> Credential:
    """Store the session that a sign-in gave, in the place of the person's own one, and prefer it from now on."""
    for value in (fetched.token, *fetched.keep.values()):
        redaction.remember(value)
    owner = {"workspace_id": actor.workspace_id, "user_id": actor.user_id, "provider_id": PROVIDER}
    values = {
        "label": "",
        "hint": hint(fetched.token),
        "fingerprint": credentials.fingerprint(fetched.token),
        "base_url": "",
        "sandbox": False,
        "state": Credential.State.UNCHECKED,
        "error_code": "",
        "checked_at": None,
        "latency_ms": None,
        "method": Credential.Method.OPENAI_CHATGPT,
        "account": fetched.account[: session_keeping.ACCOUNT_CHARS],
        "expires_at": None if fetched.expires_at is None else datetime.fromtimestamp(fetched.expires_at, UTC),
        "exchange": {"endpoint": openai_chatgpt.TOKEN, "client_id": issued},
        "renewing_until": None,
    }
    with transaction.atomic():
        # Who signs in again has said before whether a key may stand in.
        stands_in = AuthMode.objects.filter(**owner, fallback_allowed=True).exists()
        row = credentials.store(
            owner | {"kind": Credential.Kind.SESSION}, values, Stored(fetched.token, fetched.keep).dump()
        )
        credentials.note("credential.stored", row, actor.user_id)
        session_keeping.prefer(
            actor, provider_id=PROVIDER, mode=AuthMode.Mode.SESSION, fallback_allowed=stands_in, shared=False
        )
    return row
