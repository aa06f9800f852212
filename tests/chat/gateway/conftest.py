"""One server with its sandbox, and an OpenAI client that talks to it as to OpenAI."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from tests.faults.servers import Installation, Sandbox, Server


@pytest.fixture(scope="package")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


@pytest.fixture(scope="package")
def server(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("gateway")
    Path(home).chmod(0o700)
    installation = Installation(home, sandbox.url)
    token = installation.prepare()
    with Server(installation) as started:
        started.token = token  # type: ignore[attr-defined]
        yield started


@pytest.fixture
def client(server: Any) -> Iterator[OpenAI]:
    with OpenAI(api_key=server.token, base_url=f"{server.url}/v1", max_retries=0) as made:
        yield made


@pytest.fixture
def http(server: Any) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=60) as made:
        yield made
