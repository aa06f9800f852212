"""A vendor of ChatGPT plans whose renewal tokens rotate, and the session of somebody who signed in with one."""

import asyncio
import json
import time
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest
from asgiref.sync import sync_to_async
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connections
from django.utils import timezone

from accounts.policies import Actor
from providers import checks, plan_keeping
from providers.contract import GenerateRequest, Message, TextPart, ToolSpec
from providers.models import Credential
from providers.sessions import openai_chatgpt
from providers.sessions.base import Fetched
from tests.providers.endpoint import Endpoint

ISSUED = "oaiapp_FAKE"
KEY = "sk-canary-aaaaaaaaaaaaaaaaaaaaaaaa4f2a"
REQUEST = GenerateRequest(
    "gpt-sandbox",
    (Message("user", (TextPart(text="Hello there"),)),),
    system="Be brief.",
    tools=(ToolSpec("clock", "The time", {"type": "object", "properties": {}, "additionalProperties": False}),),
    max_output_tokens=200,
    temperature=0.2,
    end_user="somebody",
)


VENDORS_KEY, FOREIGN_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))


def identity(claims: dict[str, Any], key: ec.EllipticCurvePrivateKey = VENDORS_KEY) -> str:
    """An identity token of the vendor; what `claims` says replaces what an honest one would."""
    now = int(time.time())
    honest = {
        "iss": openai_chatgpt.ISSUER,
        "aud": ISSUED,
        "sub": "user-FAKE",
        "iat": now,
        "exp": now + 600,
        "email": "alice@example.com",
        "https://api.openai.com/auth": {"chatgpt_plan_type": "pro"},
    }
    return jwt.encode(honest | claims, key, "ES256", headers={"kid": "k1"})


def public_keys() -> dict[str, Any]:
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(VENDORS_KEY.public_key()))
    return {"keys": [public | {"kid": "k1", "alg": "ES256", "use": "sig"}]}


def rotate(told: Endpoint) -> None:
    """Make the endpoint answer as the vendor: a new renewal token each time, and no second use of one."""
    used: set[str] = set()

    def said() -> dict[str, Any]:
        form = dict(parse_qsl(told.asked[-1]))
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] in used:
                told.status = 400
                return {"error": {"code": "refresh_token_reused"}}
            used.add(form["refresh_token"])
        number = len(told.asked)
        return {
            "access_token": f"sk-plan-{number:04d}-aaaaaaaaaaaaaaaaaaaa",
            "token_type": "Bearer",
            "expires_in": told.lifetime,
            "refresh_token": f"rt_FAKE_{number}",
            "id_token": identity(told.claims),
        }

    told.said = said  # type: ignore[method-assign]


@pytest.fixture
def vendor(endpoint: Endpoint, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """The operator allows plans, and the vendor's token endpoint is the one of this test."""
    settings.CHATGPT_PLAN = True
    monkeypatch.setattr(openai_chatgpt, "TOKEN", endpoint.url)
    monkeypatch.setattr(openai_chatgpt, "KEYS", endpoint.url)
    endpoint.public = public_keys()
    rotate(endpoint)
    return endpoint


def kept(actor: Actor, **over: Any) -> Credential:
    values: dict[str, Any] = {
        "token": "sk-plan-0000-aaaaaaaaaaaaaaaaaaaa",
        "expires_at": timezone.now().timestamp() + 3600,
        "keep": {"refresh_token": "rt_FAKE_0"},
        "account": "alice@example.com (pro)",
    }
    return plan_keeping.keep(actor, Fetched(**(values | over)), ISSUED)


def ended(actor: Actor) -> Credential:
    return kept(actor, expires_at=timezone.now().timestamp() - 5)


def ref(row: Credential) -> str:
    return f"credential:{row.pk}"


def alone[T](call: Coroutine[Any, Any, T]) -> T:
    async def closing() -> T:
        try:
            return await call
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(checks.and_close(closing()))


def forms(told: Endpoint) -> list[dict[str, str]]:
    return [dict(parse_qsl(one)) for one in told.asked]
