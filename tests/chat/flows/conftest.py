"""The engine's runner and sandbox, and clients of the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.policies import Actor
from tests.chat.doors.conftest import bearer, signed_in
from tests.chat.engine.conftest import running, upstream, vendor

__all__ = ["CONTACT", "running", "signed_in", "upstream", "vendor"]

CONTACT = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
# The sandbox tries a handful of words and none of them fits.
IMPOSSIBLE = {
    "type": "object",
    "properties": {"code": {"type": "string", "pattern": "^[0-9]{40}$"}},
    "required": ["code"],
    "additionalProperties": False,
}


@pytest.fixture
def post() -> Callable[..., Any]:
    """`post(actor, body, wait=True)`: ask for a value over the API, with a token."""

    def ask(actor: Actor, body: dict[str, Any], *, wait: bool = True, **headers: str) -> Any:
        query = "?wait=1" if wait else ""
        return Client().post(
            f"/api/v1/structured/{query}",
            body,
            content_type="application/json",
            headers={**bearer(actor), **headers},
        )

    return ask
