"""One row of everything that is sealed, and what tests do to such rows behind the house's back."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.db import connection

from accounts import sealing
from accounts.models import IdentityProvider, User
from accounts.policies import Actor
from chat.models import McpServer
from chat.tools import rows
from providers import credentials

KEY = "sk-proj-strongroomStrongroom0000aaaa4f2a"
CLIENT_SECRET = "client-secret-of-some-length"
BEARER = "bearer-of-an-mcp-server"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def new_key(name: str) -> str:
    return f"{name}:{Fernet.generate_key().decode()}"


def fill(actor: Actor) -> dict[str, Any]:
    """Everything sealed once, for one person; the rows by their kind."""
    user = User.objects.get(pk=actor.user_id)
    provider = IdentityProvider(slug=user.email.partition("@")[0], name="Acme", issuer="https://login.example")
    provider.secret = sealing.seal(provider, CLIENT_SECRET)
    provider.save()
    mcp = McpServer(workspace_id=actor.workspace_id, name="Tools", url="https://tools.example/mcp")
    return {
        "credential": credentials.save(actor, provider_id="openai", secret=KEY, shared=False),
        "provider": provider,
        "mcp": rows.keep(mcp, BEARER, moved=False),
        "codes": RecoveryCodes.activate(user).instance,
        "totp": TOTP.activate(user, TOTP_SECRET).instance,
    }


def stored(row: Any, column: str = "secret") -> str:
    """What the database holds, as text."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {row._meta.db_table} WHERE id = %s", [key_of(row)])  # noqa: S608
        return str(cursor.fetchone()[0])


def plant(row: Any, value: str, column: str = "secret") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", [value, key_of(row)])  # noqa: S608


def key_of(row: Any) -> Any:
    return row._meta.pk.get_db_prep_value(row.pk, connection)


def seed(row: Authenticator) -> str:
    """The sealed seed, as it is stored."""
    name = {"recovery_codes": "seed", "totp": "secret"}[row.type]
    held: dict[str, Any] = Authenticator.objects.filter(pk=row.pk).values_list("data", flat=True).get()
    return str(held[name])
