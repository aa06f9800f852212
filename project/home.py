"""PARLEY_HOME: the folder that holds all an embedded installation stores, its generated secrets included."""

import json
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def prepare(home: Path) -> Path:
    """Create `home`, readable by its owner alone."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def embedded_secrets(home: Path) -> dict[str, str]:
    """The secrets of a development installation, made on first use and kept with mode 0600.

    Returns the names SECRET_KEY, FIELD_KEYRING and FINGERPRINT_PEPPER.
    """
    path = prepare(home) / "secrets.json"
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
