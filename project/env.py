"""Read typed settings from the environment, loudly; nothing here knows Django or what a setting means."""

import os
from collections.abc import Mapping
from pathlib import Path

VENDOR_PREFIXES = (
    "OPENAI_",
    "ANTHROPIC_",
    "GOOGLE_",
    "GEMINI_",
    "MISTRAL_",
    "CLAUDE_CODE_",
)


class SettingError(ValueError):
    """A setting is missing or makes no sense; the message names it and says what to write instead."""


def text(name: str, default: str = "", *, environ: Mapping[str, str] = os.environ) -> str:
    """The stripped value of `name`, or of the file that `name`_FILE points to."""
    path = environ.get(f"{name}_FILE", "").strip()
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingError(f"{name}_FILE points to {path}, which cannot be read: {error.strerror}.") from error
    return environ.get(name, default).strip()


def flag(name: str, *, default: bool, environ: Mapping[str, str] = os.environ) -> bool:
    value = text(name, environ=environ).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise SettingError(f"{name} must be true or false, not {value!r}.")


def at_home(name: str, home: bool) -> bool:
    """A flag, off by default, of an installation on one's own machine only: `home` says whether this is one."""
    if not flag(name, default=False):
        return False
    if not home:
        raise SettingError(f"{name} is for an installation that serves its own machine alone.")
    return True


def integer(name: str, default: int, *, low: int, high: int, environ: Mapping[str, str] = os.environ) -> int:
    value = text(name, environ=environ)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise SettingError(f"{name} must be a whole number, not {value!r}.") from None
    if not low <= number <= high:
        raise SettingError(f"{name} must lie between {low} and {high}, not {number}.")
    return number


def choice(name: str, default: str, options: tuple[str, ...], *, environ: Mapping[str, str] = os.environ) -> str:
    value = text(name, environ=environ) or default
    if value not in options:
        raise SettingError(f"{name} must be one of {', '.join(options)}, not {value!r}.")
    return value


def words(name: str, *, environ: Mapping[str, str] = os.environ) -> list[str]:
    """A comma-separated list; empty entries are dropped."""
    return [word.strip() for word in text(name, environ=environ).split(",") if word.strip()]


def url(name: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """An http(s) address without a trailing slash, or an empty string."""
    value = text(name, environ=environ).rstrip("/")
    if value and not value.startswith(("https://", "http://")):
        raise SettingError(f"{name} must start with https:// or http://, not {value!r}.")
    return value


def forget_vendor_variables(environ: "os._Environ[str] | dict[str, str]" = os.environ) -> None:
    """Remove every variable that a vendor SDK would pick up by itself (see docs/decisions/0002)."""
    for name in [name for name in environ if name.startswith(VENDOR_PREFIXES)]:
        del environ[name]
