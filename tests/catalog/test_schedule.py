"""The thread that keeps the catalog fresh."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog import schedule
from catalog.models import LanguageModel, ProviderSync
from providers import checks, credentials, registry
from tests.factories import make_actor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def running() -> Iterator[None]:
    schedule.start_in_background()
    yield
    schedule.stop()


def soon(true: Callable[[], bool]) -> bool:
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        if true():
            return True
        time.sleep(0.05)
    return False


def listed(key: str) -> bool:
    return any(row.key == key for row in LanguageModel.objects.all())


def threads() -> int:
    return sum(thread.name == "catalog" for thread in threading.enumerate())


@pytest.mark.usefixtures("sandbox", "running")
def test_the_lists_are_read_at_start() -> None:
    assert soon(lambda: listed("gemini/gemini-sandbox-pro"))


@pytest.mark.usefixtures("vendors", "running")
def test_a_key_that_is_saved_brings_its_models() -> None:
    credentials.save(make_actor(), provider_id="openai", secret="sk-real-aaaaaaaaaaaaaaaaaaaaaaaa4f2a", shared=False)
    assert soon(lambda: listed("openai/gpt-sandbox"))


@pytest.mark.usefixtures("running")
def test_a_provider_that_was_down_is_asked_again_soon(upstream: str, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    schedule.wake("gemini")
    assert soon(lambda: ProviderSync.objects.filter(provider_id="gemini", error_code="provider_unavailable").exists())
    settings.SANDBOX_URL = upstream
    assert soon(lambda: listed("gemini/gemini-sandbox-pro"))


@pytest.mark.usefixtures("sandbox")
def test_a_provider_that_hangs_delays_nobody(acme: Callable[[str], None]) -> None:
    acme("acme-hangs")
    schedule.start_in_background()
    try:
        assert soon(lambda: listed("gemini/gemini-sandbox-pro"))
        LanguageModel.objects.all().delete()
        began = time.monotonic()
        schedule.wake("gemini")
        assert soon(lambda: listed("gemini/gemini-sandbox-pro"))
        assert time.monotonic() - began < checks.LIST_SECONDS / 2, "it waited for the one that hangs"
    finally:
        schedule.stop()


def test_it_starts_once_and_ends_when_told() -> None:
    schedule.start_in_background()
    schedule.start_in_background()
    assert threads() == 1
    schedule.stop()
    assert threads() == 0
    schedule.stop()


def test_a_process_that_keeps_no_schedule_is_not_woken() -> None:
    schedule.wake("openai")
    assert threads() == 0


def test_only_what_nobody_has_read_with_success_lately_is_due() -> None:
    now = timezone.now()
    for provider in registry.available():
        ProviderSync.objects.create(provider_id=provider.provider_id, finished_at=now)
    ProviderSync.objects.filter(provider_id="gemini").update(error_code="timeout")
    ProviderSync.objects.filter(provider_id="openai_compatible").update(finished_at=now - timedelta(hours=1))
    assert schedule.stale(60) == {"gemini", "openai_compatible"}
    assert schedule.stale(7200) == {"gemini"}
