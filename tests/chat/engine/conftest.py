"""A running runner, and the sandbox as its upstream."""

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from catalog.sync import sync_all
from chat import runner
from tests.faults.servers import Sandbox


@pytest.fixture(scope="session")
def vendor() -> Iterator[Sandbox]:
    with Sandbox(pace=200) as running:
        yield running


@pytest.fixture
def upstream(vendor: Sandbox, settings: Any, transactional_db: None) -> Sandbox:
    """The sandbox as every provider, its models in the catalog."""
    settings.SANDBOX_URL = vendor.url
    async_to_sync(sync_all)()
    return vendor


@pytest.fixture
def running(upstream: Sandbox) -> Iterator[Sandbox]:
    """A runner that takes work, as in a server process."""
    runner.start_in_background()
    yield upstream
    runner.drain(0)
