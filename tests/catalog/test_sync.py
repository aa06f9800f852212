"""Reading the providers' lists over a real wire: into the rows, without one provider disturbing another."""

import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from accounts.policies import Actor
from catalog import sync
from catalog.models import ContextDefault, LanguageModel, ProviderSync
from providers import checks, credentials, registry
from tests.catalog.acme import ACME

KEY = "sk-real-aaaaaaaaaaaaaaaaaaaaaaaa4f2a"

pytestmark = pytest.mark.django_db

EVERYBODY = dict.fromkeys((provider.provider_id for provider in registry.BUILT_IN), "")


def run(provider_id: str = "") -> dict[str, str]:
    """Sync one or all; the error by provider."""
    from asgiref.sync import async_to_sync

    work = sync.sync_all([provider_id] if provider_id else None)
    return {one.provider_id: one.error for one in async_to_sync(checks.and_close)(work)}


def keys(**over: Any) -> list[str]:
    return [row.key for row in LanguageModel.objects.filter(**over)]


def test_the_sandbox_fills_the_catalog_and_the_defaults(sandbox: str) -> None:
    assert run() == EVERYBODY
    assert "openai/gpt-sandbox" in keys(sandbox=True, shared=True)
    assert "gemini/gemini-sandbox-pro" in keys(sandbox=True)
    assert keys(sandbox=False) == []
    defaults = {row.context: row.model.key for row in ContextDefault.objects.select_related("model")}
    assert defaults["chat"] == "openai/gpt-sandbox"
    assert set(defaults) == {"chat", "structured", "summary", "doc"}


def test_the_installation_s_own_key_lists_real_models(vendors: str, settings: Any) -> None:
    settings.PROVIDER_KEYS = {"openai": KEY}
    run("openai")
    row = LanguageModel.objects.get(model_id="gpt-sandbox")
    assert (row.sandbox, row.shared, row.lifecycle) == (False, True, "active")
    state = ProviderSync.objects.get(pk="openai")
    assert (state.error_code, state.model_count) == ("", LanguageModel.objects.count())


def test_a_second_sync_adds_nothing_and_sees_everything_again(sandbox: str) -> None:
    run()
    before = {row.key: row.last_seen_at for row in LanguageModel.objects.all()}
    run()
    after = {row.key: row.last_seen_at for row in LanguageModel.objects.all()}
    assert before.keys() == after.keys()
    assert all(after[key] > before[key] for key in before)


def test_a_member_who_adds_the_only_key_finds_the_models(bob: Actor, vendors: str) -> None:
    credentials.save(bob, provider_id="openai", secret=KEY, shared=False)
    run("openai")
    assert "openai/gpt-sandbox" in keys(shared=False)


def test_a_key_that_is_refused_is_passed_over_for_the_next(bob: Actor, alice: Actor, vendors: str) -> None:
    credentials.save(alice, provider_id="openai", secret="sk-revoked-aaaaaaaaaaaaaaaaaaaa", shared=True)
    credentials.save(bob, provider_id="openai", secret=KEY, shared=False)
    assert run("openai") == {"openai": ""}
    assert keys() != []


def test_without_any_key_nothing_is_asked_and_nothing_is_recorded() -> None:
    assert run() == EVERYBODY
    assert not ProviderSync.objects.exists()


def test_a_failure_keeps_what_is_known_and_names_its_code(acme: Any) -> None:
    acme("acme-lists-3")
    run("acme")
    assert keys(lifecycle="active") == ["acme/acme-0", "acme/acme-1", "acme/acme-2", "acme/ft:acme-1:somebody::x"]
    acme("acme-refuses")
    assert run("acme") == {"acme": "invalid_auth"}
    assert len(keys(lifecycle="active")) == 4
    assert ProviderSync.objects.get(pk="acme").error_code == "invalid_auth"


def test_a_shorter_list_flags_what_is_gone_and_deletes_nothing(acme: Any) -> None:
    acme("acme-lists-3")
    run("acme")
    acme("acme-lists-1")
    run("acme")
    assert keys(lifecycle="vanished") == ["acme/acme-1", "acme/acme-2"]
    acme("acme-empty")
    run("acme")
    assert keys(lifecycle="active") == ["acme/acme-0", "acme/ft:acme-1:somebody::x"]


def test_somebody_s_broken_adapter_disturbs_nobody(acme: Any, sandbox: str, caplog: pytest.LogCaptureFixture) -> None:
    acme("acme-breaks")
    found = run()
    assert found == EVERYBODY | {"acme": "provider_unavailable"}
    assert "openai/gpt-sandbox" in keys()
    assert "ZeroDivisionError" in caplog.text


def test_a_provider_that_hangs_is_given_up_and_the_others_are_there(
    acme: Any, sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "LIST_SECONDS", 3.0)
    acme("acme-hangs")
    started = time.monotonic()
    assert run()["acme"] == "timeout"
    assert time.monotonic() - started < 10
    assert "gemini/gemini-sandbox-flash" in keys()


def test_a_provider_that_is_gone_leaves_its_models_as_they_were(sandbox: str, settings: Any) -> None:
    run()
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    assert set(run().values()) == {"provider_unavailable"}
    assert keys(lifecycle="vanished") == []


def test_the_command_reads_the_lists_and_fails_when_one_failed(acme: Any, sandbox: str) -> None:
    acme("acme-refuses")
    said = StringIO()
    call_command("sync_catalog", "openai", stdout=said)
    assert said.getvalue().startswith("openai: ")
    with pytest.raises(SystemExit):
        call_command("sync_catalog", stdout=said)
    assert f"{ACME.provider_id}: invalid_auth" in said.getvalue()
