"""Where an installation keeps what it stores (PARLEY_HOME), and the three secrets that it runs on."""

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import Fernet

from project import env


class Secrets(NamedTuple):
    """`secret_key` signs sessions and links, `field_keyring` opens what is stored sealed, `fingerprint_pepper` makes
    stored keys comparable without opening them."""

    secret_key: str
    field_keyring: str
    fingerprint_pepper: str


def prepare(home: Path) -> Path:
    """Create `home`, readable by its owner alone."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def secrets_of_development(home: Path) -> Secrets:
    """What the environment names, and for the rest secrets made on first use and kept in `home` with mode 0600."""
    kept = _kept(home)
    return Secrets(*(env.text(name.upper()) or kept[name.upper()] for name in Secrets._fields))


def secrets_of_production() -> Secrets:
    """What the environment names. Raises SettingError for a missing or weak one."""
    given = Secrets(*(env.text(name.upper()) for name in Secrets._fields))
    if weak(given.secret_key):
        raise env.SettingError(
            "SECRET_KEY is missing or weak: set at least 50 random characters, "
            "for example the output of: python -c 'import secrets; print(secrets.token_urlsafe(64))'"
        )
    if not given.field_keyring:
        raise env.SettingError(
            "FIELD_KEYRING is missing: set it to k1:<fernet key>, "
            "for example the output of: python -c 'from cryptography.fernet import Fernet; "
            'print("k1:" + Fernet.generate_key().decode())\''
        )
    pepper = given.fingerprint_pepper or given.secret_key
    if len(pepper) < 32:
        raise env.SettingError("FINGERPRINT_PEPPER must have at least 32 characters.")
    return given._replace(fingerprint_pepper=pepper)


def ring_file(home: Path) -> Path | None:
    """The file that the key ring was read from; None when the environment itself holds it."""
    if named := os.environ.get("FIELD_KEYRING_FILE", "").strip():
        return Path(named)
    kept = home / "secrets.json"
    return None if env.text("FIELD_KEYRING") or not kept.exists() else kept


def write_ring(path: Path, ring: str) -> None:
    """Replace the ring in its file, all at once and for its owner alone. Raises OSError."""
    text = ring + "\n"
    if path.suffix == ".json":
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        text = json.dumps(kept | {"FIELD_KEYRING": ring})
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def weak(key: str) -> bool:
    return len(key) < 50 or len(set(key)) < 12 or "insecure" in key.lower() or "changeme" in key.lower()


def _kept(home: Path) -> dict[str, str]:
    path = home / "secrets.json"
    if not path.exists():
        fresh = {
            "SECRET_KEY": secrets.token_urlsafe(64),
            "FIELD_KEYRING": f"k1:{Fernet.generate_key().decode()}",
            "FINGERPRINT_PEPPER": secrets.token_urlsafe(32),
        }
        draft = path.with_suffix(f".{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(fresh), encoding="utf-8")
        try:
            path.hardlink_to(draft)  # two first starts at once: one file wins, both read it
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    loaded: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
