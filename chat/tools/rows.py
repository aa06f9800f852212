"""MCP servers as an administrator enters them: the address is judged, the secret sealed. Asking one is `servers`."""

from django.db import transaction

from accounts import sealing
from chat.models import McpServer
from providers import pasted, policies
from providers.secrets import hint

SECRET_CHARS = 4_000


def accepted_url(text: str) -> str:
    """Raises pasted.Refused."""
    address = pasted.base_url(text, private_allowed=policies.private_addresses_allowed())
    if not address:
        raise pasted.Refused("Enter the address of the server.")
    return address


def accepted_secret(text: str) -> str:
    """May be empty: not every server wants one. Raises pasted.Refused."""
    value = text.strip()
    if not (value.isascii() and value.isprintable()) or " " in value or len(value) > SECRET_CHARS:
        raise pasted.Refused("A token has only plain letters, digits and signs, without blanks or line breaks.")
    return value


@transaction.atomic
def keep(row: McpServer, secret: str, *, moved: bool) -> McpServer:
    """Store the row. A secret goes with the address that it was entered for: when that changes, it is entered again or
    gone. Nobody sends a token that another person entered somewhere else."""
    if secret:
        row.secret, row.hint = sealing.seal(row, secret), hint(secret)
    elif moved:
        row.secret, row.hint = None, ""
    row.save()
    return row
