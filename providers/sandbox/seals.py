"""Signatures as vendors put on reasoning and tool calls: bound to the model that made them and to what they sign.

The key is public on purpose: the sandbox protects nothing, but a seal must survive its restart."""

import base64
import binascii
import hashlib
import hmac

_KEY = b"sandbox seals are not secrets"
_MARK = b"sandbox1"


def seal(model: str, content: str) -> str:
    """A base64 token for `content` that `holds` accepts from the same model only."""
    return base64.b64encode(_MARK + _digest(model, content)).decode()


def holds(token: str, model: str, content: str) -> bool:
    raw = decoded(token)
    return raw[: len(_MARK)] == _MARK and hmac.compare_digest(raw[len(_MARK) :], _digest(model, content))


def decoded(token: str) -> bytes:
    """The bytes of a token in either base64 alphabet, empty when it is none."""
    try:
        padded = token + "=" * (-len(token) % 4)
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _digest(model: str, content: str) -> bytes:
    return hmac.new(_KEY, f"{model}\n{content}".encode("utf-8", "replace"), hashlib.sha256).digest()
