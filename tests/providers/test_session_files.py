"""Sessions on the server's disk: what is read of them, what is not trusted, and that nothing is looked at unasked."""

import base64
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from accounts.policies import Actor
from providers import credentials, sources
from providers.errors import ErrorCode, ProviderError
from providers.models import Credential
from providers.resolution import resolve
from providers.sessions import anthropic_profile, codex_login

NOW, LATER = 1_795_000_000.0, 1_795_312_800


def written(directory: Path, told: Any, *, mode: int = 0o600, name: str = "default") -> Path:
    path = directory / "credentials" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    path.chmod(mode)
    return path


def profile(**over: Any) -> dict[str, Any]:
    return {"version": "1.0", "type": "oauth_token", "access_token": "FAKE_ACCESS", "expires_at": LATER} | over


# ---------------------------------------------------------------- Anthropic's profile
def test_a_profile_is_read_with_its_account_and_end(tmp_path: Path) -> None:
    written(tmp_path, profile())
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "default.json").write_text(json.dumps({"organization_id": "org-FAKE"}))
    found = anthropic_profile.detect(str(tmp_path), now=NOW)
    assert (found.state, found.token, found.expires_at, found.account) == ("active", "FAKE_ACCESS", LATER, "org-FAKE")
    assert "FAKE_ACCESS" not in repr(found)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (profile(expires_at=LATER * 1000), "active"),  # milliseconds
        (profile(expires_at=NOW + 20), "expired"),
        (profile(expires_at=NOW - 1), "expired"),
        (profile(expires_at=None), "active"),
        (profile(access_token=""), "malformed"),
        (profile(access_token="two words"), "malformed"),
        ("{broken", "malformed"),
        ("[]", "malformed"),
        (" " * 70_000, "malformed"),
    ],
)
def test_what_a_profile_says_decides_its_state(tmp_path: Path, told: Any, state: str) -> None:
    written(tmp_path, told)
    assert anthropic_profile.detect(str(tmp_path), now=NOW).state == state


def test_a_file_that_others_may_read_or_that_leads_elsewhere_is_not_trusted(tmp_path: Path) -> None:
    path = written(tmp_path, profile(), mode=0o644)
    assert anthropic_profile.detect(str(tmp_path), now=NOW).state == "malformed"
    path.chmod(0o600)
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert anthropic_profile.detect(str(tmp_path), now=NOW).state == "malformed"


@pytest.mark.parametrize("name", ["", "../other", ".hidden", "a/b"])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    written(tmp_path, profile())
    assert anthropic_profile.detect(str(tmp_path), name, now=NOW).state == "malformed"


def test_no_profile_is_absent(tmp_path: Path) -> None:
    assert anthropic_profile.detect(str(tmp_path), now=NOW).state == "absent"


# ---------------------------------------------------------------- as the installation's session
@pytest.fixture
def named(tmp_path: Path, settings: Any) -> Path:
    settings.ANTHROPIC_PROFILE_DIR, settings.ANTHROPIC_PROFILE = str(tmp_path), "default"
    return tmp_path


def kinds() -> list[tuple[str, str, str]]:
    return [(one.kind, one.state, one.mode) for one in sources.descriptors() if one.provider_id == "anthropic"]


def test_nothing_is_read_before_the_operator_names_a_profile(tmp_path: Path, settings: Any) -> None:
    written(tmp_path, profile())
    settings.ANTHROPIC_PROFILE_DIR = str(tmp_path)
    assert kinds() == []


def test_a_named_profile_is_preferred_to_the_installation_s_key(named: Path, settings: Any) -> None:
    written(named, profile(expires_at=None))
    settings.PROVIDER_KEYS = {"anthropic": "sk-ant-api03-" + "a" * 30}
    assert kinds() == [("session", "unchecked", "session"), ("api_key", "unchecked", "session")]
    opened = credentials.open_ref("environment_session:anthropic")
    assert (opened.kind, opened.secret.reveal()) == ("session", "FAKE_ACCESS")


@pytest.mark.parametrize(("allowed", "error"), [(True, None), (False, ErrorCode.SESSION_EXPIRED)])
def test_the_installation_s_key_stands_in_where_the_operator_says_so(
    named: Path, settings: Any, allowed: bool, error: ErrorCode | None
) -> None:
    written(named, profile(expires_at=1))
    settings.PROVIDER_KEYS = {"anthropic": "sk-ant-api03-" + "a" * 30}
    settings.SESSION_FALLBACK = allowed
    found = resolve("anthropic", sources.descriptors(), sandbox_model=False)
    assert found.error is error
    assert (found.reason == "session_expired") == allowed


def test_a_refused_token_is_read_again_and_the_same_one_has_ended(named: Path) -> None:
    written(named, profile(expires_at=None))
    seen = sources.open_session("anthropic")
    with pytest.raises(ProviderError) as caught:
        sources.open_session("anthropic", seen.secret)
    assert caught.value.code is ErrorCode.SESSION_EXPIRED
    written(named, profile(expires_at=None, access_token="FAKE_RENEWED"))
    assert sources.open_session("anthropic", seen.secret).secret.reveal() == "FAKE_RENEWED"


# ---------------------------------------------------------------- a Codex login
def signed(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJFAKE.{body}.sig"


def login(directory: Path, told: Any) -> codex_login.Login:
    (directory / "auth.json").write_text(told if isinstance(told, str) else json.dumps(told))
    (directory / "auth.json").chmod(0o600)
    return codex_login.detect(str(directory), now=NOW)


def test_a_login_is_looked_at_and_its_tokens_are_not_taken(tmp_path: Path) -> None:
    about = {"https://api.openai.com/auth": {"chatgpt_plan_type": "pro"}, "email": "u@example.test"}
    tokens = {"id_token": signed(**about), "access_token": signed(exp=LATER), "refresh_token": "rt_FAKE"}
    found = login(tmp_path, {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens})
    assert found == codex_login.Login("active", "", "pro", "u@example.test", LATER)
    assert "rt_FAKE" not in repr(found)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"tokens": {"access_token": signed(exp=NOW - 1)}}, "expired"),
        ({"tokens": {"access_token": "opaque"}, "last_refresh": "2026-10-01T10:00:00.000000Z"}, "expired"),
        ({"tokens": {"access_token": "opaque"}}, "active"),
        ({"OPENAI_API_KEY": "sk-FAKE"}, "api_key"),
        ({}, "malformed"),
        ("nonsense", "malformed"),
        ("[1]", "malformed"),
    ],
)
def test_what_a_login_says_decides_its_state(tmp_path: Path, told: Any, state: str) -> None:
    assert login(tmp_path, told).state == state


def test_a_file_that_others_may_read_or_lead_elsewhere_is_no_login(tmp_path: Path) -> None:
    login(tmp_path, {"OPENAI_API_KEY": "sk-FAKE"})
    file = tmp_path / "auth.json"
    file.chmod(0o644)
    assert codex_login.detect(str(tmp_path)).state == "malformed"
    file.chmod(0o600)
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "auth.json").symlink_to(file)
    assert codex_login.detect(str(tmp_path / "away")).state == "malformed"


def test_no_login_is_absent(tmp_path: Path) -> None:
    assert codex_login.detect(str(tmp_path)).state == "absent"


# ---------------------------------------------------------------- the command
def run(directory: Path, *arguments: str) -> str:
    said = StringIO()
    call_command("codex_login", "--home", str(directory), *arguments, stdout=said)
    return said.getvalue()


def test_the_command_takes_over_a_key_and_shows_none(alice: Actor, tmp_path: Path) -> None:
    key = "sk-proj-" + "a" * 40
    before = json.dumps({"auth_mode": "apikey", "OPENAI_API_KEY": key})
    (tmp_path / "auth.json").write_text(before)
    (tmp_path / "auth.json").chmod(0o600)
    said = run(tmp_path, "--import-for", "alice@example.com")
    row = Credential.objects.get()
    assert (row.user_id, row.provider_id, row.kind) == (alice.user_id, "openai", "api_key")
    assert credentials.open_ref(f"credential:{row.pk}").secret.reveal() == key
    assert key not in said
    assert AuditEntry.objects.filter(action="credential.stored").exists()
    assert (tmp_path / "auth.json").read_text() == before


def test_the_command_takes_no_tokens(alice: Actor, tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text(json.dumps({"tokens": {"access_token": signed(exp=LATER)}}))
    assert "state: " in run(tmp_path)
    with pytest.raises(CommandError, match="no API key"):
        run(tmp_path, "--import-for", "alice@example.com")
    assert not Credential.objects.exists()
