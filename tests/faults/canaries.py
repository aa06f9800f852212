"""Unique secrets in the shapes that vendors use, and every way in which one of them may have been written down."""

import base64
import random
import secrets
import string
import urllib.parse

from cryptography.fernet import Fernet

LETTERS = string.ascii_letters + string.digits
BEGINNINGS = {"openai": "sk-proj-", "anthropic": "sk-ant-api03-", "gemini": "AIza", "mistral": ""}
LONG = {"openai": 48, "anthropic": 48, "gemini": 35, "mistral": 32}


def key_of(provider_id: str) -> str:
    """A key like this vendor's; Mistral's have no beginning of their own."""
    ends = [secrets.choice(kind) for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits)]
    middle = [secrets.choice(LETTERS) for _ in range(LONG[provider_id] - len(ends))]
    random.shuffle(middle)
    return BEGINNINGS[provider_id] + "".join([*middle, *ends])


def ours() -> dict[str, str]:
    """What an installation is started with."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_KEYRING": f"k1:{Fernet.generate_key().decode()}",
        "FINGERPRINT_PEPPER": secrets.token_urlsafe(32),
        "OPENAI_API_KEY": key_of("openai"),
        "GEMINI_API_KEY": key_of("gemini"),
    }


def forms(secret: str) -> set[bytes]:
    """The secret as it may have been written, and its halves. In base64 it may stand anywhere in a longer text."""
    middle = len(secret) // 2
    shapes = {secret, secret[:middle], secret[middle:], urllib.parse.quote(secret, safe=""), secret[::-1]}
    raw = secret.encode()
    inside = {base64.b64encode(b"x" * offset + raw)[4:-4] for offset in range(3)}
    inside |= {base64.urlsafe_b64encode(b"x" * offset + raw)[4:-4] for offset in range(3)}
    return {shape.encode() for shape in shapes} | {base64.b64encode(raw), raw.hex().encode()} | inside


def hits(canaries: dict[str, str], sinks: dict[str, bytes]) -> list[tuple[str, str]]:
    """Which secret stands in which sink."""
    return [
        (name, sink)
        for name, secret in canaries.items()
        for sink, held in sinks.items()
        if any(form in held for form in forms(secret))
    ]
