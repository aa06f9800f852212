"""What an issuer says about itself and the keys it signs with, cached for an hour."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from accounts.models import IdentityProvider
from accounts.oidc.http import fetch_json, is_acceptable
from accounts.oidc.refusals import BAD_ANSWER, UNREACHABLE, Refused

KEPT_FOR = 3600  # seconds
NOT_AGAIN_FOR = 60  # seconds until an unknown key may make us ask once more
WELL_KNOWN = "/.well-known/openid-configuration"
MOST_KEYS = 50


@dataclass(frozen=True, slots=True)
class Metadata:
    """`userinfo` may be empty; `names_itself` says that callbacks carry `iss` (RFC 9207)."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str
    names_itself: bool


def metadata(row: IdentityProvider) -> Metadata:
    """Raises Refused when the issuer does not answer, answers nonsense, or calls itself something else."""
    key = _key("metadata", row, row.issuer)
    known = cache.get(key)
    if known is None:
        known = _read(_get(row, row.issuer.rstrip("/") + WELL_KNOWN), row.issuer)
        cache.set(key, known, KEPT_FOR)
    return Metadata(**known)


def keys(row: IdentityProvider, *, anew: bool = False) -> list[dict[str, Any]]:
    """The issuer's public keys. `anew` asks again, for a key that was not there, at most once a minute."""
    uri = metadata(row).jwks
    key = _key("keys", row, uri)
    known: list[dict[str, Any]] | None = cache.get(key)
    if known is None or (anew and cache.add(f"{key}:anew", 1, NOT_AGAIN_FOR)):
        found = _get(row, uri).get("keys")
        if not isinstance(found, list):
            raise Refused(BAD_ANSWER, "the key set has no keys")
        known = [one for one in found[:MOST_KEYS] if isinstance(one, dict)]
        cache.set(key, known, KEPT_FOR)
    return known


def _read(said: dict[str, Any], issuer: str) -> dict[str, Any]:
    if said.get("issuer") != issuer:
        raise Refused(BAD_ANSWER, "the issuer calls itself something else")
    found: dict[str, Any] = {"issuer": issuer}
    for ours, theirs in (
        ("authorization", "authorization_endpoint"),
        ("token", "token_endpoint"),
        ("jwks", "jwks_uri"),
        ("userinfo", "userinfo_endpoint"),
    ):
        url = said.get(theirs) or ""
        optional = ours == "userinfo" and not url
        if not optional and not (isinstance(url, str) and is_acceptable(url)):
            raise Refused(BAD_ANSWER, f"{theirs} is no acceptable address")
        found[ours] = url
    return found | {"names_itself": said.get("authorization_response_iss_parameter_supported") is True}


def _get(row: IdentityProvider, url: str) -> dict[str, Any]:
    status, body = fetch_json(url, private=row.workspace_id is None, headers={})
    if status >= 500:
        raise Refused(UNREACHABLE, f"status {status}")
    if status != 200 or not isinstance(body, dict):
        raise Refused(BAD_ANSWER, f"status {status}")
    return body


def _key(what: str, row: IdentityProvider, url: str) -> str:
    """By whole address and by what may be connected to, so that no row borrows another one's answer."""
    digest = hashlib.sha256(f"{row.workspace_id} {row.issuer} {url}".encode()).hexdigest()
    return f"oidc:{what}:{digest}"
