"""API tokens: made once, stored as a digest, weighed anew at every use. How a request carries one is `accounts.api`."""

import hashlib
import re
import secrets
import zlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import ApiToken, Membership, User, Workspace
from accounts.policies import SCOPES

PREFIX = "parley_pat_"
SHAPE = re.compile(r"parley_pat_([A-Za-z0-9_-]{43})([0-9a-f]{6})")
DEFAULT_DAYS, MAX_DAYS = 90, 365
USE_RECORDED_EVERY = timedelta(minutes=1)


class TokenRefused(Exception):
    """`code` is invalid_token, token_expired or token_revoked; `detail` says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@transaction.atomic
def mint(
    user: User, workspace: Workspace, name: str, scopes: Iterable[str], days: int = DEFAULT_DAYS
) -> tuple[ApiToken, str]:
    """A new token and its text, which nobody can read again. Raises ValueError for an unknown scope or a wrong age."""
    wanted = sorted(set(scopes))
    if not wanted or set(wanted) - set(SCOPES):
        raise ValueError(f"scopes must be some of {', '.join(SCOPES)}")
    if not 1 <= days <= MAX_DAYS:
        raise ValueError(f"a token lasts 1 to {MAX_DAYS} days")
    secret = secrets.token_urlsafe(32)
    plain = f"{PREFIX}{secret}{_checksum(secret)}"
    token = ApiToken.objects.create(
        user=user,
        workspace=workspace,
        name=name,
        hint=f"{PREFIX}…{plain[-4:]}",
        digest=_digest(plain),
        scopes=wanted,
        expires_at=timezone.now() + timedelta(days=days),
    )
    _note("api_token.created", token, user, scopes=wanted, days=days)
    return token, plain


@transaction.atomic
def revoke(token: ApiToken, *, by: User | None) -> None:
    """End a token for good; a second time changes nothing. `by` is None for the machine."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        _note("api_token.revoked", token, by)


def _note(action: str, token: ApiToken, by: User | None, **data: Any) -> None:
    target = f"{token.name} {token.hint}"
    audit.record(action, user=by, workspace_id=token.workspace_id, target=target, data=data)


def is_well_formed(plain: str) -> bool:
    """Whether this can be a token of ours at all: shape and checksum, without a query."""
    match = SHAPE.fullmatch(plain)
    return match is not None and match[2] == _checksum(match[1])


def verify(plain: str) -> ApiToken:
    """The living token, its `user` and `membership` loaded. Raises TokenRefused."""
    token = None
    if is_well_formed(plain):
        token = ApiToken.objects.select_related("user").filter(digest=_digest(plain)).first()
    if token is None:
        raise TokenRefused("invalid_token", "There is no such API token.")
    if token.revoked_at is not None:
        raise TokenRefused("token_revoked", "This API token was revoked. Create another one.")
    if token.expires_at <= timezone.now():
        raise TokenRefused("token_expired", "This API token has expired. Create another one.")
    membership = Membership.objects.filter(user_id=token.user_id, workspace_id=token.workspace_id).first()
    if membership is None or not token.user.is_active:
        raise TokenRefused("invalid_token", "The owner of this API token has no access any more.")
    token.membership = membership
    _record_use(token)
    return token


def _record_use(token: ApiToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - USE_RECORDED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()) & 0xFFFFFF:06x}"
