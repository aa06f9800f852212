"""Sign in with ChatGPT: what a person's own plan answers, through tokens that rotate. No Django.

The vendor lets an application on the person's own machine do this, by a client id that it issues at the first sign-in.
Each renewal token is good for one use, and the answer to it brings the next one.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from providers.sessions import endpoint
from providers.sessions.base import Ended, Fetched, Unreachable

ISSUER = "https://auth.openai.com"
KEYS = "https://auth.openai.com/.well-known/jwks.json"
AUTHORIZE = "https://auth.openai.com/api/accounts/authorize"
TOKEN = "https://auth.openai.com/api/accounts/oauth/token"  # noqa: S105 - an address
RESOURCE = "https://api.openai.com/v1"
# What a token is good for the plan by; without it there is a sign-in and no plan.
PLAN_SCOPE = "chatgpt.tokens.use.direct"
SCOPES = f"openid profile email offline_access resource.invoke {PLAN_SCOPE}"
# Who asks before the vendor has issued an id.
FIRST_CLIENT = "dynamic_agent_client"
_ISSUED = "oaiapp_"
LONGEST_CLIENT = 120
_CLAIMS = "https://api.openai.com/auth"


@dataclass(frozen=True, slots=True)
class Asked:
    """One sign-in that has begun: where the browser comes back to, and what proves that it is the same one."""

    client_id: str
    redirect: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)


def address(asked: Asked, *, host: str, name: str) -> str:
    """Where the browser goes. `host` is a urn:uuid that an installation keeps, `name` what it is called."""
    digest = hashlib.sha256(asked.verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": asked.client_id,
        "redirect_uri": asked.redirect,
        "scope": SCOPES,
        "resource": RESOURCE,
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "ext_agent_host_id": host,
        "agent_name_hint": name,
    }
    return f"{AUTHORIZE}?{urlencode(query)}"


def issued(asked: Asked, told: str) -> str:
    """The client id from now on: what the vendor issued with its answer, else the one that asked. Raises Unreachable
    when there is none of one's own."""
    found = told or asked.client_id
    if not found.startswith(_ISSUED) or len(found) > LONGEST_CLIENT or not found.isascii():
        raise Unreachable("the vendor issued no client id")
    return found


async def redeemed(asked: Asked, client_id: str, code: str) -> tuple[Fetched, object]:
    """The first tokens, for the code that the browser brought, and the identity token beside them, which nobody has
    verified yet. Raises Ended or Unreachable."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client_id,
        "redirect_uri": asked.redirect,
        "code_verifier": asked.verifier,
        "resource": RESOURCE,
    }
    told = await endpoint.asked(TOKEN, form=form)
    if PLAN_SCOPE not in str(told.get("scope", PLAN_SCOPE)).split():
        raise Ended("the vendor did not allow the plan")
    found = _read(told, "")
    if not found.keep["refresh_token"]:
        raise Unreachable("the token endpoint gave no renewal token")
    return found, told.get("id_token")


async def signing_keys() -> list[dict[str, Any]]:
    """What the vendor signs identity tokens with. Raises Unreachable."""
    found = (await endpoint.read(KEYS)).get("keys")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


async def fetch(exchange: Mapping[str, Any], keep: Mapping[str, str]) -> Fetched:
    """The next token; `keep` has the one renewal token that is good, and the answer the next one."""
    form = {
        "grant_type": "refresh_token",
        "client_id": exchange["client_id"],
        "refresh_token": keep["refresh_token"],
        "resource": RESOURCE,
    }
    return _read(await endpoint.asked(exchange["endpoint"], form=form), keep["refresh_token"])


def _read(told: Mapping[str, Any], before: str) -> Fetched:
    given = told.get("refresh_token")
    keep = {"refresh_token": given if isinstance(given, str) and given else before}
    return endpoint.fetched(told, keep)


def account(told: Mapping[str, Any]) -> str:
    """Whose plan it is, for people to read, from what a verified identity token says."""
    about = told.get(_CLAIMS)
    plan = about.get("chatgpt_plan_type") if isinstance(about, Mapping) else None
    who = str(told.get("email") or "")[:90]
    return f"{who} ({str(plan)[:20]})" if plan and who else who
