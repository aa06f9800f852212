"""Settings are read once, loudly, and take the vendors' variables out of the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.guards.source import ROOT

GOOD = {
    "SECRET_KEY": "kZ4vV1mQ9sT7xY2bN5cR8dF3gH6jL0pWqEuIoAzXsDfGhJkL1234567890",
    "FIELD_KEYRING": f"k1:{Fernet.generate_key().decode()}",
    "ALLOWED_HOSTS": "parley.example.com",
    "EMAIL_URL": "smtp+tls://parley:secret@mail.example.com:587",
}
SAY = "from django.conf import settings; settings.DEBUG; "


def boot(code: str, home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    base = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "project.settings", "PARLEY_HOME": str(home)}
    command = [sys.executable, "-c", SAY + code]
    return subprocess.run(
        command, cwd=ROOT, env=base | environ, capture_output=True, text=True, timeout=60, check=False
    )


def refusal(home: Path, **environ: str) -> str:
    done = boot("", home, **environ)
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


def test_with_nothing_set_it_is_a_development_installation(tmp_path: Path) -> None:
    done = boot("print(settings.PARLEY_MODE, settings.DEBUG, settings.ALLOWED_HOSTS[0])", tmp_path)
    assert done.stdout.split() == ["development", "False", "localhost"]


@pytest.mark.parametrize(
    "over", [{"PUBLIC_URL": "https://chat.example.com"}, {"PARLEY_MODE": "development", "ALLOWED_HOSTS": "10.0.0.7"}]
)
def test_plans_of_people_and_logins_of_a_machine_are_for_that_machine_alone(
    tmp_path: Path, over: dict[str, str]
) -> None:
    asked = "print(settings.CHATGPT_PLAN, settings.CODEX_LOGIN)"
    assert boot(asked, tmp_path).stdout.split() == ["False", "False"]
    allowed = boot(asked, tmp_path, PARLEY_CHATGPT_PLAN="1", PARLEY_CODEX_LOGIN="1")
    assert allowed.stdout.split() == ["True", "True"]
    for name in ("PARLEY_CHATGPT_PLAN", "PARLEY_CODEX_LOGIN"):
        assert "serves its own machine alone" in refusal(tmp_path, **{name: "1"}, **over)


def test_workload_identity_is_on_with_a_file_unless_it_is_turned_off(tmp_path: Path) -> None:
    asked = "print(settings.WORKLOAD_IDENTITY)"
    file = {"PARLEY_WORKLOAD_IDENTITY_TOKEN_FILE": "/run/token"}
    assert boot(asked, tmp_path).stdout.split() == ["False"]
    assert boot(asked, tmp_path, **file).stdout.split() == ["True"]
    assert boot(asked, tmp_path, **file, PARLEY_WORKLOAD_IDENTITY="0").stdout.split() == ["False"]


def test_secrets_of_development_are_made_once_and_readable_by_their_owner_alone(tmp_path: Path) -> None:
    first, second = (boot("print(settings.SECRET_KEY, settings.FIELD_KEYRING)", tmp_path).stdout for _ in range(2))
    assert first == second != ""
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYRING", "ALLOWED_HOSTS"])
def test_naming_one_of_its_own_makes_it_production_and_all_are_asked_for(name: str, tmp_path: Path) -> None:
    assert "missing" in refusal(tmp_path, **{name: GOOD[name]})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY is missing or weak"),
        (
            "SECRET_KEY",
            "django-insecure-" + "kZ4vV1mQ9sT7xY2bN5cR8dF3gH6jL0pWqEuIoAzXsDfGhJkL",
            "SECRET_KEY is missing or weak",
        ),
        ("SECRET_KEY", "a" * 80, "SECRET_KEY is missing or weak"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS must name hosts"),
        ("PARLEY_MODE", "staging", "PARLEY_MODE must be one of"),
        ("PUBLIC_URL", "parley.example.com", "PUBLIC_URL must start with https://"),
        ("REDIS_URL", "http://cache", "REDIS_URL must start with redis://"),
        ("PARLEY_SANDBOX_URL", "http://127.0.0.1:1", "PARLEY_SANDBOX_URL is for development only"),
        ("PARLEY_CHATGPT_PLAN", "on", "PARLEY_CHATGPT_PLAN is for an installation that serves its own machine alone"),
        ("TRUSTED_PROXY_COUNT", "many", "TRUSTED_PROXY_COUNT must be a whole number"),
        ("TRUSTED_PROXY_COUNT", "99", "TRUSTED_PROXY_COUNT must lie between 0 and 5"),
        ("OPENAI_BASE_URL", "ftp://x", "OPENAI_BASE_URL must start with https://"),
        ("SECRET_KEY_FILE", "/nowhere/at/all", "SECRET_KEY_FILE points to /nowhere/at/all"),
    ],
)
def test_nonsense_is_refused_with_its_name(name: str, value: str, says: str, tmp_path: Path) -> None:
    assert says in refusal(tmp_path, **GOOD | {name: value})


def test_a_good_production_environment_boots_closed(tmp_path: Path) -> None:
    code = "print(settings.DEVELOPMENT, settings.SESSION_COOKIE_SECURE, settings.PUBLIC_URL, settings.SANDBOX_URL)"
    assert boot(code, tmp_path, **GOOD).stdout.split() == ["False", "True", "https://parley.example.com"]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(GOOD["SECRET_KEY"] + "\n")
    named = {name: value for name, value in GOOD.items() if name != "SECRET_KEY"}
    done = boot("print(settings.SECRET_KEY)", tmp_path, **named, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert done.stdout.strip() == GOOD["SECRET_KEY"]


def test_vendor_variables_are_read_and_then_gone(tmp_path: Path) -> None:
    names = (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
        "MISTRAL_API_KEY",
        "OPENAI_BASE_URL",
    )
    code = (
        "import os; print(settings.PROVIDER_KEYS['openai'], settings.PROVIDER_KEYS['gemini'],"
        "settings.PROVIDER_BASE_URLS['openai'],"
        "[name for name in os.environ if 'API_KEY' in name or 'BASE_URL' in name])"
    )
    done = boot(code, tmp_path, **{name: f"http://{name.lower()}/" for name in names})
    assert done.stdout.strip() == "http://openai_api_key/ http://gemini_api_key/ http://openai_base_url []"


def test_a_production_check_has_no_warning(tmp_path: Path) -> None:
    code = "import django; django.setup(); from django.core.management import call_command; "
    code += "call_command('check', deploy=True, fail_level='WARNING')"
    done = boot(code, tmp_path, **GOOD)
    assert done.returncode == 0, done.stderr[-2000:]
