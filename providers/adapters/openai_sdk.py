"""The OpenAI SDK as the two adapters that speak through it use it: one cheap client a call, and its exceptions."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx2
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AsyncOpenAI,
    AsyncStream,
    BadRequestError,
    OpenAIError,
)

from providers import faults, http, wire
from providers.adapters import openai_faults
from providers.contract import Deadlines, OpenCredential
from providers.errors import ErrorCode, ProviderError

__all__ = ["FAILURES", "BadRequestError", "classify", "client", "listed", "posted"]

FAILURES: tuple[type[Exception], ...] = (OpenAIError,)

# What the SDK reads from the environment even when everything is passed to it.
_AMBIENT = ("OPENAI_CUSTOM_HEADERS", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_WEBHOOK_SECRET", "OPENAI_ADMIN_KEY")


def client(credential: OpenCredential, base_url: str, deadlines: Deadlines) -> AsyncOpenAI:
    """A client for one call over the shared pool. It is never closed: that would close the pool."""
    for name in _AMBIENT:
        os.environ.pop(name, None)
    return AsyncOpenAI(
        api_key=wire.key_of(credential),
        base_url=base_url,
        http_client=http.client(),
        max_retries=0,
        timeout=http.timeout(deadlines),
    )


@asynccontextmanager
async def posted(sdk: AsyncOpenAI, path: str, body: Mapping[str, Any]) -> AsyncIterator[httpx2.Response]:
    """The open response to `body`, its bytes not yet read.

    The SDK's generic request: its typed methods walk every item of the input (27 ms for 200 messages) and build an
    object for every event; neither is needed to sign a request and raise the right error.
    """
    answer = await sdk.post(path, body=body, cast_to=httpx2.Response, stream=True, stream_cls=AsyncStream[Any])
    async with _closing(answer) as response:
        yield response


async def listed(sdk: AsyncOpenAI) -> bytes:
    """The body of the model list, as it came. Raises `ValueError` when it is larger than any list."""
    answer = await sdk.get("/models", cast_to=httpx2.Response, stream=True, stream_cls=AsyncStream[Any])
    async with _closing(answer) as response:
        return await wire.body(response.aiter_bytes())


@asynccontextmanager
async def _closing(answer: object) -> AsyncIterator[httpx2.Response]:
    """Asked for a Response, the SDK hands it over open instead of wrapping it in the stream class it insists on."""
    response = cast(httpx2.Response, answer)
    try:
        yield response
    finally:
        await response.aclose()


def classify(error: BaseException, provider_id: str) -> ProviderError | None:
    if isinstance(error, APIStatusError):
        return openai_faults.failure(
            provider_id,
            error.body,
            status=error.status_code,
            headers=error.response.headers,
            request_id=error.request_id,
        )
    if isinstance(error, APIConnectionError):
        return faults.local(error.__cause__ or ConnectionError(), provider_id=provider_id)
    if isinstance(error, APIError):
        return openai_faults.failure(provider_id, error.body)
    if isinstance(error, OpenAIError):
        return ProviderError(
            ErrorCode.INVALID_REQUEST, faults.WORDS[ErrorCode.INVALID_REQUEST], provider_id=provider_id, detail="sdk"
        )
    return None
