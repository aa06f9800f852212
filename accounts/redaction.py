"""Takes secrets out of text before it reaches a log: the values this process has opened, and the shapes keys have.

Knows no framework: the core of `providers` stands on it and runs in a plain script.
"""

import re
from base64 import b64encode
from collections import OrderedDict
from threading import Lock
from urllib.parse import quote

from accounts.secrets import MASK

REMEMBERED = 3072  # forms: a value has up to three
SHORTEST = 8

# Mistral's keys are 32 plain characters without a beginning of their own: a word of that length with capitals, small
# letters and digits in it is taken for one. Identifiers in hexadecimal have no capitals, others have signs in them.
PLAIN = r"(?<![\w+/=.-])(?=\w*[a-z])(?=\w*[A-Z])(?=\w*[0-9])[A-Za-z0-9]{32}(?![\w+/=-])"
SHAPES = re.compile(
    r"sk-ant-[A-Za-z0-9]{2,12}-[\w-]{20,}"
    r"|sk-(?:proj|svcacct|admin|None)-[\w-]{20,}"
    r"|\bsk-[A-Za-z0-9]{20,}\b"
    r"|\bAIza[\w-]{30,}"
    r"|\bAQ\.[\w-]{20,}"
    r"|\bya29\.[\w-]{20,}"
    r"|\bparley_[\w-]{16,}"
    r"|(?i:(?<=bearer )\S{16,})"
    r"|(?<=[?&]key=)[^&\s\"']+"
    # A sealed value, and an entry of a key ring.
    r"|\b[A-Za-z0-9]{1,16}\$gAAAA[\w-]{20,}=*"
    r"|\b[A-Za-z0-9]{1,16}:[\w-]{43}="
    rf"|{PLAIN}"
)
NAMED = re.compile(
    r"(?i)((?:x-api-key|x-goog-api-key|api[-_]?key|authorization)[\"']?\s*[:=]\s*(?:b?[\"'])?)"
    r"((?:(?:bearer|basic)\s+)?[^\s\"',;&}\])]{4,})"
)

IDENTIFIER = re.compile(r"[\w.:@/+=-]{1,200}")

_values: OrderedDict[str, None] = OrderedDict()
_lock = Lock()


def remember(value: str) -> None:
    """Redact this value from now on. The set is bounded: the value that was opened longest ago is forgotten first."""
    if len(value) < SHORTEST:
        return
    with _lock:
        for form in {value, quote(value, safe=""), b64encode(value.encode()).decode().rstrip("=")}:
            _values[form] = None
            _values.move_to_end(form)
        while len(_values) > REMEMBERED:
            _values.popitem(last=False)


def forget_all() -> None:
    with _lock:
        _values.clear()


def scrub(text: str) -> str:
    """`text` with every remembered value, and everything that looks like a key, replaced by a mask."""
    with _lock:
        found = [value for value in _values if value in text]
    # The longest first: one key may begin with another.
    for value in sorted(found, key=len, reverse=True):
        text = text.replace(value, MASK)
    return NAMED.sub(rf"\g<1>{MASK}", SHAPES.sub(MASK, text))


def identifier(value: str | None) -> str | None:
    """A vendor's id as it may be kept and shown, or None for what is no id: careless gateways put keys there."""
    if value is None or not IDENTIFIER.fullmatch(value) or scrub(value) != value:
        return None
    return value
