"""Asking a token endpoint: one bounded request over the house's pool, and what its answer means. No Django."""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx2

from providers import http, wire
from providers.reach import NotPublic
from providers.sessions.base import Ended, Fetched, Unreachable

SECONDS = 10.0
LONGEST_TOKEN = 16 * 1024
# What an endpoint says to a request that will never succeed; 401 and 403 say it without a word.
FINAL = frozenset(
    {
        "invalid_grant",
        "invalid_client",
        "unauthorized_client",
        "invalid_refresh_token",
        "token_expired",
        "refresh_token_expired",
        "refresh_token_reused",
        "refresh_token_invalidated",
    }
)


async def asked(
    url: str, *, body: Mapping[str, Any] | None = None, form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:  # fmt: skip
    """The endpoint's answer to a JSON body or a form. Raises Ended or Unreachable, with nothing of the answer in it."""
    request = {"json": dict(body)} if body is not None else {"data": dict(form or {})}
    status, told = await _answered("POST", url, headers=headers, **request)
    if status == httpx2.codes.OK:
        return told
    error = told.get("error")
    code = error.get("code") if isinstance(error, Mapping) else error
    if status in {401, 403} or code in FINAL:
        raise Ended("the token endpoint refused")
    raise Unreachable(f"the token endpoint answered {status}")


async def read(url: str) -> Mapping[str, Any]:
    """What is at an address that anybody may read. Raises Unreachable."""
    status, told = await _answered("GET", url)
    if status != httpx2.codes.OK:
        raise Unreachable(f"the vendor answered {status}")
    return told


async def _answered(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, **request: Any
) -> tuple[int, Mapping[str, Any]]:
    told = {"accept": "application/json", **(headers or {})}
    try:
        async with http.client().stream(method, url, headers=told, timeout=SECONDS, **request) as answer:
            text = await wire.body(answer.aiter_bytes())
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, NotPublic, ValueError):
        raise Unreachable("the endpoint did not answer") from None
    return answer.status_code, _object(text)


def fetched(told: Mapping[str, Any], keep: Mapping[str, str], *, account: str = "") -> Fetched:
    """The token of an answer. Raises Unreachable for an answer without a usable one."""
    token, lifetime, kind = told.get("access_token"), told.get("expires_in"), told.get("token_type", "Bearer")
    if not isinstance(token, str) or not _usable(token) or str(kind).lower() != "bearer":
        raise Unreachable("the token endpoint gave no usable token")
    if lifetime is None:
        return Fetched(token, None, keep, account)
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or lifetime <= 0:
        raise Unreachable("the token endpoint gave a token without a time")
    return Fetched(token, time.time() + lifetime, keep, account)


def _usable(token: str) -> bool:
    return 0 < len(token) <= LONGEST_TOKEN and all("!" <= character <= "~" for character in token)


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
