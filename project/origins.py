"""Which pages may open a socket: those of this installation, by scheme, host and port."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

DEFAULT_PORTS = {"http": 80, "https": 443}


class OriginGate:
    """Answers 403 to a socket from a foreign page, and to one without an origin unless it presents a token.

    A browser always sends an origin and can never send `Authorization` on a socket; a script does the opposite.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = {name: value.decode("latin1") for name, value in scope.get("headers", [])}
        chosen: Any = self.application if admits(headers) else WebsocketDenier()
        return await chosen(scope, receive, send)


def admits(headers: dict[bytes, str]) -> bool:
    origin = headers.get(b"origin", "")
    if origin in {"", "null"}:
        return headers.get(b"authorization", "").lower().startswith("bearer ")
    try:
        place = urlsplit(origin)
        port = _port(place)
    except ValueError:
        return False
    return _is_own(place, port) or _is_local(place, headers.get(b"host", ""))


def _is_own(place: SplitResult, port: int | None) -> bool:
    """The public address, or the default HTTPS port of a host this installation serves."""
    public = urlsplit(settings.PUBLIC_URL)
    if public.hostname and (place.scheme, place.hostname, port) == (public.scheme, public.hostname, _port(public)):
        return True
    return place.scheme == "https" and port == 443 and validate_host(place.hostname or "", settings.ALLOWED_HOSTS)


def _is_local(place: SplitResult, host: str) -> bool:
    """In development the page comes from whatever port this very server listens on."""
    if not settings.DEVELOPMENT or place.scheme != "http" or place.netloc != host:
        return False
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


def _port(place: SplitResult) -> int | None:
    return place.port or DEFAULT_PORTS.get(place.scheme)
