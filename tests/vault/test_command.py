"""manage.py vault: what it prints, where it writes, when it refuses."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from accounts.policies import Actor
from tests.vault.strongroom import CLIENT_SECRET, KEY, fill, new_key, plant

pytestmark = pytest.mark.django_db


@pytest.fixture
def ring_file(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that holds the ring, as an operator mounts one."""
    path = tmp_path / "ring"
    path.write_text(settings.FIELD_KEYRING)
    monkeypatch.setenv("FIELD_KEYRING_FILE", str(path))
    return path


def vault(*arguments: str) -> str:
    out = io.StringIO()
    call_command("vault", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def start_again(settings: Any, path: Path) -> None:
    settings.FIELD_KEYRING = path.read_text().strip()


def test_from_a_new_key_to_the_old_one_s_end(alice: Actor, settings: Any, ring_file: Path) -> None:
    fill(alice)
    assert "providers.Credential.secret: 1 under k1" in vault("doctor")
    assert "k2,k1" in vault("add")
    assert ring_file.stat().st_mode & 0o777 == 0o600
    start_again(settings, ring_file)
    with pytest.raises(CommandError, match=r"under k1: 2 of mfa.Authenticator.data, .*vault rotate"):
        vault("forget", "k1")
    assert "providers.Credential.secret: 1 moved to k2" in vault("rotate")
    assert "Nothing is sealed under k1, and it is out of the ring" in vault("forget", "k1")
    start_again(settings, ring_file)
    assert ring_file.read_text().startswith("k2:")
    assert "k1:" not in ring_file.read_text()
    assert "mfa.Authenticator.data: 2 under k2" in vault("doctor")
    actions = AuditEntry.objects.filter(action__startswith="vault.").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["vault.key_added", "vault.rotation_begun", "vault.rotated", "vault.key_forgotten"]


def test_the_ring_of_an_embedded_installation_is_in_its_secrets(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PARLEY_HOME = tmp_path
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"SECRET_KEY": "s", "FIELD_KEYRING": settings.FIELD_KEYRING}))
    vault("add", "winter")
    kept = json.loads(path.read_text())
    assert kept["SECRET_KEY"] == "s"
    assert kept["FIELD_KEYRING"].partition(":")[0] == "winter"
    assert kept["FIELD_KEYRING"].endswith(settings.FIELD_KEYRING)


def test_a_ring_in_the_environment_is_the_operator_s(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PARLEY_HOME = tmp_path
    monkeypatch.setenv("FIELD_KEYRING", settings.FIELD_KEYRING)
    with pytest.raises(CommandError, match="in the environment"):
        vault("add")
    settings.FIELD_KEYRING = f"{new_key('k2')},{settings.FIELD_KEYRING}"
    assert "may be left out of FIELD_KEYRING" in vault("forget", "k1")


@pytest.mark.parametrize(("key", "why"), [("k1", "seals now"), ("k9", "no key k9")])
def test_a_key_that_is_needed_or_unknown_is_not_forgotten(ring_file: Path, key: str, why: str) -> None:
    before = ring_file.read_text()
    with pytest.raises(CommandError, match=why):
        vault("forget", key)
    assert ring_file.read_text() == before


def test_a_key_in_the_ring_is_not_lost(alice: Actor) -> None:
    fill(alice)
    with pytest.raises(CommandError, match="not lost"):
        vault("forget", "k1", "--lost")


@pytest.mark.parametrize("key", ["k1", "lost", "k 2", "k" * 17, "", "é"])
def test_a_new_key_has_a_short_name_of_its_own(ring_file: Path, key: str) -> None:
    before = ring_file.read_text()
    with pytest.raises(CommandError):
        vault("add", key or "-")
    assert ring_file.read_text() == before


def test_the_doctor_names_what_cannot_be_read_and_shows_no_secret(
    alice: Actor, capsys: pytest.CaptureFixture[str]
) -> None:
    row = fill(alice)["credential"]
    plant(row, KEY)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 values cannot be read"):
        call_command("vault", "doctor", stdout=out, stderr=out)
    assert f"cannot be read: {row.pk}" in out.getvalue()
    assert "1 under no key at all" in out.getvalue()
    assert KEY not in out.getvalue()
    assert CLIENT_SECRET not in out.getvalue()


def test_the_wrong_ring_fails_the_system_check_and_a_lost_key_can_be_given_up(alice: Actor, settings: Any) -> None:
    fill(alice)
    assert checks.run_checks(tags=["database"], databases=["default"]) == []
    settings.FIELD_KEYRING = new_key("k7")
    (error,) = checks.run_checks(tags=["database"], databases=["default"])
    assert (error.id, error.level) == ("accounts.E002", checks.ERROR)
    assert checks.run_checks() == [], "commands that touch no table do not ask"
    assert "Given up: 2 of mfa.Authenticator.data" in vault("forget", "k1", "--lost")
    assert checks.run_checks(tags=["database"], databases=["default"]) == []
    assert "providers.Credential.secret: 1 given up" in vault("doctor")
