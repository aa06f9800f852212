"""Fixtures for tests that reach a provider: a sandbox process, as the development sandbox or in a vendor's place."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from providers import http

ADDRESSES = {"openai": "/openai/v1", "gemini": "/gemini", "openai_compatible": "/compatible/v1"}


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """The address of a sandbox that answers as fast as it can."""
    command = [sys.executable, "-m", "providers.sandbox", "--pace", "0", "--lifeline"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.terminate()


@pytest.fixture
def sandbox(upstream: str, settings: Any) -> str:
    """The development sandbox runs: providers without a key of the installation have a sandbox credential."""
    settings.SANDBOX_URL = upstream
    return upstream


@pytest.fixture
def vendors(upstream: str, settings: Any) -> str:
    """The vendors' own addresses lead to the sandbox process, so that real credentials have somebody to talk to.

    It takes keys that begin with `sk-` or `AIza` and refuses others; a key that contains `revoked`, `expired`,
    `forbidden` or `noquota` fails accordingly.
    """
    settings.PROVIDER_BASE_URLS = {name: upstream + path for name, path in ADDRESSES.items()}
    return upstream


@pytest.fixture
def nobody(settings: Any) -> str:
    """The vendors' addresses lead to a port where nobody listens."""
    settings.PROVIDER_BASE_URLS = dict.fromkeys(ADDRESSES, "http://127.0.0.1:9")
    return "http://127.0.0.1:9"


def asked(upstream: str) -> list[dict[str, Any]]:
    """What the sandbox process was asked, oldest first."""
    import urllib.request

    with urllib.request.urlopen(f"{upstream}/_sandbox/requests") as answer:  # noqa: S310 - our own process
        found: list[dict[str, Any]] = json.load(answer)
    return found


@pytest.fixture
async def closing() -> Any:
    """For tests on a loop of their own: its connections, to providers and to the database, are closed with it."""
    yield
    await http.close()
    await sync_to_async(connections.close_all)()
