"""Which network addresses the house may connect to: judged on the address itself, after the name was resolved."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


class NotPublic(ValueError):
    """The address leads into a network that nobody allowed."""


class Reach:
    """Everywhere, until it is confined: then to public addresses, and to the places that the operator named."""

    def __init__(self) -> None:
        self._trusted: frozenset[tuple[str, int]] | None = None

    def confine(self, trusted: Iterable[str]) -> None:
        """From now on public addresses only; `trusted` are base URLs that may be private, by host and port."""
        self._trusted = frozenset(_place(address) for address in trusted if address)

    def release(self) -> None:
        self._trusted = None

    def anywhere(self, host: str, port: int) -> bool:
        """Whether this place may be private."""
        return self._trusted is None or (host.lower(), port) in self._trusted


# The process's own: an installation in production confines it when it starts.
reach = Reach()


def _place(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def literal(host: str) -> Address | None:
    """The address that a host means, without its IPv6 wrapping; None for a name."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        return ipaddress.IPv4Address(address.packed[-4:]) if address in NAT64 else inner or address
    return address


def is_public(address: Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
