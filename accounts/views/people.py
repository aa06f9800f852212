"""What the pages of this app share: the person behind a request, and where they wanted to go."""

from typing import cast

from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User


def signed_in(request: HttpRequest) -> User:
    """The person on a page that only signed-in people reach."""
    return cast("User", request.user)


def wanted_by(request: HttpRequest) -> str:
    """The address in `next` when it is one of ours, else the start page."""
    return get_next_redirect_url(request) or str(settings.LOGIN_REDIRECT_URL)


def origin_of(request: HttpRequest) -> str:
    """Scheme and host for links in mails: what the operator named, else where this request came in."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
