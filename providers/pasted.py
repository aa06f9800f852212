"""What a person may paste as a key or as a base URL, and the words for what we refuse; asks no provider."""

from urllib.parse import urlsplit

from providers.reach import is_public, literal

SHORTEST_KEY = 8
LONGEST_KEY = 512
LONGEST_TOKEN = 8192
SANDBOX_PREFIX = "sandbox-"
# Top-level names that never leave a network.
INSIDE = frozenset({"local", "localhost", "internal", "lan", "home", "intranet", "corp"})
SUBSCRIPTION_PREFIXES = ("sk-ant-oat", "sk-ant-ort")


class Refused(ValueError):
    """The input cannot be kept; the message is for the person who pasted it and never repeats it."""


def key(text: str) -> str:
    """The key itself, without the blanks around it. Raises Refused."""
    return _plain(text, "key", LONGEST_KEY)


def token(text: str) -> str:
    """The token of a session: as a key, but it may be a long signed one. Raises Refused."""
    return _plain(text, "token", LONGEST_TOKEN)


def _plain(text: str, thing: str, longest: int) -> str:
    value = text.strip()
    if not value:
        raise Refused(f"Paste a {thing} first.")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise Refused(
            f"A {thing} has only plain letters, digits and signs. Copy it again without blanks or line breaks."
        )
    if value.startswith(SUBSCRIPTION_PREFIXES):
        raise Refused(
            "This is a Claude subscription token. Its vendor's terms forbid using it outside the vendor's own "
            "applications, so it is not accepted. Create an API key instead."
        )
    if not SHORTEST_KEY <= len(value) <= longest:
        raise Refused(f"A {thing} has between {SHORTEST_KEY} and {longest} characters.")
    return value


def base_url(text: str, *, private_allowed: bool) -> str:
    """An http(s) address without a trailing slash, or an empty string. Raises Refused.

    Without `private_allowed` only https to a public host will do: a workspace's administrator must not reach into the
    operator's network. Names are judged as written here, and by their address when they are connected to.
    """
    value = text.strip().rstrip("/")
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("This is not an address.") from None
    if parts.scheme not in {"http", "https"} or not host or not value.isascii() or " " in value:
        raise Refused("The address starts with https:// and names a host.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Refused("The address holds no name, password, query or fragment.")
    if link_local(host) or (not private_allowed and (parts.scheme != "https" or _private(host))):
        raise Refused("The address must be a public https address. For a private one, ask the operator to set it.")
    return value


def link_local(host: str) -> bool:
    """Whether a host is an address that no server of anybody's has: metadata services live there."""
    address = literal(host)
    return bool(address and address.is_link_local)


def public(address: str) -> bool:
    """Whether a literal address may be connected to by whoever must not reach into the operator's network."""
    found = literal(address)
    return found is not None and is_public(found)


def _private(host: str) -> bool:
    address = literal(host)
    if address is not None:
        return not is_public(address)
    labels = host.lower().rstrip(".").split(".")
    # A last label that starts with a digit makes the whole an address in another spelling (2130706433, 0x7f.1).
    return len(labels) < 2 or not labels[-1][:1].isalpha() or labels[-1] in INSIDE
