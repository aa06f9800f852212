"""An ID token against everything it must say (OpenID Connect Core 3.1.3.7), and the few claims that are kept of it.

Pure: keys, names and the nonce come in as arguments.
"""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.oidc.refusals import BAD_TOKEN, Refused

# What issuers sign with in public-key form. A symmetric or missing algorithm would let anybody sign.
ALGORITHMS = frozenset({"RS256", "PS256", "ES256"})
REQUIRED = ("iss", "sub", "aud", "exp", "iat", "nonce")
LEEWAY = 30  # seconds between two clocks
OLDEST = 600  # seconds since the token was made
LONGEST_TOKEN = 32 * 1024
LONGEST_SUBJECT = 191

type Keys = Callable[[bool], list[dict[str, Any]]]
"""Gives the issuer's keys; with True it asks the issuer once more."""


@dataclass(frozen=True, slots=True)
class Expected:
    issuer: str
    client_id: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Claims:
    """`email` is a valid address or empty; `email_verified` is what the issuer said in so many words; `hosted_domain`
    is Google's `hd`; `role` is what the claim map of the identity provider made of them, or empty."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    hosted_domain: str = ""
    role: str = ""


def verified(token: Any, keys: Keys, expected: Expected) -> dict[str, Any]:
    """The claims of a token that passes every check. Raises Refused."""
    if not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
        raise Refused(BAD_TOKEN, "there is no ID token")
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_for(header, keys),
            algorithms=[header["alg"]],
            audience=expected.client_id,
            issuer=expected.issuer,
            leeway=LEEWAY,
            options={"require": list(REQUIRED)},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
        raise Refused(BAD_TOKEN, type(error).__name__) from None
    _check_party(claims, expected.client_id)
    _check_moment(claims)
    if not _same(claims["nonce"], expected.nonce):
        raise Refused(BAD_TOKEN, "the nonce is another one")
    if not _is_subject(claims["sub"]):
        raise Refused(BAD_TOKEN, "the subject is no name")
    return claims


def kept(claims: dict[str, Any]) -> Claims:
    """What is stored of verified claims; whatever has the wrong shape is left out, "false" in quotes is not true."""
    email = _text(claims.get("email"), 254)
    try:
        validate_email(email)
    except ValidationError:
        email = ""
    return Claims(
        issuer=claims["iss"],
        subject=claims["sub"],
        email=email.lower(),
        email_verified=bool(email) and claims.get("email_verified") is True,
        name=_text(claims.get("name"), 120),
        hosted_domain=_text(claims.get("hd"), 253).lower(),
    )


def _key_for(header: dict[str, Any], keys: Keys) -> jwt.PyJWK:
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS or "crit" in header:
        raise Refused(BAD_TOKEN, "the algorithm is not accepted")
    for anew in (False, True):
        fitting = [one for one in keys(anew) if _fits(one, kid)]
        if len(fitting) == 1:
            return jwt.PyJWK(fitting[0], algorithm=algorithm)
    raise Refused(BAD_TOKEN, "the key is not in the issuer's set")


def _fits(key: dict[str, Any], kid: Any) -> bool:
    """By its id; a token that names none is served by a set that holds a single signing key."""
    return key.get("use", "sig") == "sig" and (kid is None or key.get("kid") == kid)


def _check_party(claims: dict[str, Any], client_id: str) -> None:
    """A token for several audiences, or with an authorized party, must have been made for us."""
    audience, party = claims["aud"], claims.get("azp")
    several = isinstance(audience, list) and len(audience) > 1
    if (several or party is not None) and party != client_id:
        raise Refused(BAD_TOKEN, "the authorized party is another one")


def _check_moment(claims: dict[str, Any]) -> None:
    if not isinstance(claims["iat"], int | float) or time.time() - claims["iat"] > OLDEST + LEEWAY:
        raise Refused(BAD_TOKEN, "the token is too old")


def _same(one: Any, other: str) -> bool:
    return isinstance(one, str) and bool(other) and hmac.compare_digest(one.encode(), other.encode())


def _is_subject(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable() and len(value) <= LONGEST_SUBJECT


def _text(value: Any, longest: int) -> str:
    return value.strip()[:longest] if isinstance(value, str) and value.isprintable() else ""
