"""One-time sign-in links for the person who started this server: 256 bits, hashed, 30 minutes, one use."""

import hashlib
import secrets
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from accounts.models import SignInLink, User

LIFETIME = timedelta(minutes=30)


def make_sign_in_link(user: User) -> str:
    """The path that signs `user` in once. Only development serves it, and only to this machine."""
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, digest=_digest(token), expires_at=timezone.now() + LIFETIME)
    return reverse("accounts:enter", args=[token])


def consume(token: str) -> User | None:
    """Use the link up and return whom it signs in. Of two simultaneous uses one gets None, as does any later one."""
    now = timezone.now()
    living = SignInLink.objects.filter(digest=_digest(token), used_at=None, expires_at__gt=now, user__is_active=True)
    link = living.select_related("user").first()
    if link is None or not SignInLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now):
        return None
    return link.user


def belongs_to(token: str, user: User) -> bool:
    """Whether this link, used up or not, was made for `user`."""
    return SignInLink.objects.filter(digest=_digest(token), user=user).exists()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
