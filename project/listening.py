"""Daphne as this process's server: on both loopback addresses, and heard from when it really listens."""

import errno
import socket
from collections.abc import Callable
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.conf import settings

LOOPBACK = ("127.0.0.1", "::1")


class CannotListen(Exception):
    """The address is taken, or not ours; the message says which."""


def reserve(host: str, port: int) -> tuple[int, list[str]]:
    """The port (a free one for 0) and the addresses to listen on. Raises CannotListen.

    `localhost` may resolve to either loopback address, so a loopback host means both, as far as this machine has them.
    """
    addresses: list[str] = []
    for address in LOOPBACK if host in {"localhost", *LOOPBACK} else (host,):
        try:
            port = _try(address, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CannotListen(f"port {port} on {address} is in use") from None
            if addresses:
                continue  # a machine without IPv6
            raise CannotListen(f"{address}: {error.strerror}") from None
        addresses.append(address)
    return port, addresses


def _try(address: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))
        bound: int = probe.getsockname()[1]
        return bound


class Listener(Server):
    """Calls `ready` once every address listens; keeps the reason when one cannot."""

    def __init__(self, application: Any, port: int, addresses: list[str], ready: Callable[[], None]) -> None:
        self.failure = ""
        self._announce = ready
        endpoints = [line for host in addresses for line in build_endpoint_description_strings(host=host, port=port)]
        super().__init__(
            application,
            endpoints=endpoints,
            websocket_max_message_size=settings.DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE,
            websocket_max_frame_size=settings.DAPHNE_WEBSOCKET_MAX_FRAME_SIZE,
        )

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        if len(self.listening_addresses) == len(self.endpoints):
            self._announce()

    def listen_error(self, failure: Any) -> None:
        self.failure = failure.getErrorMessage()
        self.stop()
