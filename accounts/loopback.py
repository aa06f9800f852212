"""Whether a request comes from the machine that the server runs on."""

from ipaddress import ip_address

from django.http import HttpRequest


def from_this_machine(request: HttpRequest) -> bool:
    """True for a loopback peer. A proxy on this machine relays strangers, so a forwarded request never counts."""
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        peer = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    mapped = getattr(peer, "ipv4_mapped", None)
    return bool((mapped or peer).is_loopback)
