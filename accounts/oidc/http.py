"""Requests to an issuer: HTTPS, no redirect, no proxy from the environment, bounded in size and time.

`requests` is here because allauth brings it; the provider floor's own client is above this floor.
"""

import json
import socket
import time
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from accounts.oidc.refusals import BAD_ANSWER, UNREACHABLE, Refused

TIMEOUT = (3.0, 5.0)  # seconds to connect, seconds of silence
DEADLINE = 10.0
LONGEST_BODY = 256 * 1024
LONGEST_URL = 600
TRANSLATED = IPv6Network("64:ff9b::/96")  # IPv4 behind a translator
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def is_acceptable(url: str) -> bool:
    """Whether `url` may be asked at all: https, or plain http to this very machine in development."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if len(url) > LONGEST_URL or not port_is_fine or not parts.hostname or parts.username or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and settings.DEVELOPMENT and parts.hostname in LOOPBACK)


def fetch_json(
    url: str, *, private: bool, form: dict[str, str] | None = None, headers: dict[str, str]
) -> tuple[int, Any]:
    """Status and parsed body of a GET, or of a POST when there is a `form`. Raises Refused.

    With `private` false the peer that is really connected to must have a public address (development excepted).
    """
    if not is_acceptable(url):
        raise Refused(BAD_ANSWER, "the address is not https")
    with _session(private=private or settings.DEVELOPMENT) as session:
        try:
            with session.request(
                "POST" if form is not None else "GET", url, data=form, headers=headers | {"Accept": "application/json"},
                timeout=TIMEOUT, allow_redirects=False, stream=True,
            ) as answer:  # fmt: skip
                body = _bounded(answer)
        except (requests.RequestException, OSError) as error:
            raise Refused(UNREACHABLE, type(error).__name__) from None
    try:
        return answer.status_code, json.loads(body)
    except ValueError:
        raise Refused(BAD_ANSWER, f"status {answer.status_code}, not JSON") from None


def _session(*, private: bool) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    if not private:
        session.mount("https://", _PublicOnly())
    return session


def _bounded(answer: requests.Response) -> bytes:
    started, body = time.monotonic(), bytearray()
    for piece in answer.iter_content(16 * 1024):
        body += piece
        if len(body) > LONGEST_BODY:
            raise Refused(BAD_ANSWER, "the body is too large")
        if time.monotonic() - started > DEADLINE:
            raise Refused(UNREACHABLE, "the body came too slowly")
    return bytes(body)


# ---------------------------------------------------------------- public addresses only
def is_public(address: str) -> bool:
    """Whether an IP address is out in the open, whatever way it is written in."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        translated = IPv4Address(ip.packed[-4:]) if ip in TRANSLATED else None
        ip = ip.ipv4_mapped or ip.sixtofour or translated or ip
    return ip.is_global and not ip.is_multicast


def _checked(connected: socket.socket) -> socket.socket:
    """The peer is looked at after connecting and before a byte is sent: a name cannot change its mind in between."""
    if not is_public(connected.getpeername()[0]):
        connected.close()
        raise requests.ConnectionError("the address is private")
    return connected


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _PublicOnly(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
