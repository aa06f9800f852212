"""The sandbox tests stand on a running sandbox and the vendors' own clients."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
from anthropic import AsyncAnthropic
from google.genai import Client, types
from openai import AsyncOpenAI

from tests.sandbox.server import SandboxServer, sandbox

__all__ = ["sandbox"]


@pytest.fixture(autouse=True)
def clean(sandbox: SandboxServer) -> Iterator[None]:
    """Nothing is armed and nothing was recorded yet."""
    sandbox.disarm()
    sandbox.forget()
    yield
    sandbox.disarm()


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


@pytest.fixture
def anthropic(sandbox: SandboxServer, http: httpx2.AsyncClient) -> AsyncAnthropic:
    return AsyncAnthropic(
        api_key="sandbox-key", base_url=sandbox.anthropic, http_client=http, max_retries=0, open_telemetry=False
    )


@pytest.fixture
def gemini(sandbox: SandboxServer, http: httpx2.AsyncClient) -> Client:
    return gemini_client(sandbox.gemini, http)


def gemini_client(base_url: str, http: httpx2.AsyncClient, key: str = "AIzaSandbox") -> Client:
    options = types.HttpOptions(base_url=base_url, api_version="v1beta", httpx_async_client=http, timeout=10_000)
    return Client(api_key=key, vertexai=False, http_options=options)
