"""The sandbox tests stand on a running sandbox and the vendors' own clients."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from openai import AsyncOpenAI

from tests.sandbox.server import SandboxServer, sandbox

__all__ = ["sandbox"]


@pytest.fixture
async def http(anyio_backend: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def openai(sandbox: SandboxServer, http: httpx2.AsyncClient) -> AsyncOpenAI:
    return AsyncOpenAI(api_key="sandbox-key", base_url=sandbox.openai, http_client=http, max_retries=0)


@pytest.fixture
def compatible(sandbox: SandboxServer, http: httpx2.AsyncClient) -> AsyncOpenAI:
    return AsyncOpenAI(api_key="sandbox-key", base_url=sandbox.compatible, http_client=http, max_retries=0)
