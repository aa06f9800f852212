"""Anthropic, through the Messages API: what is asked for and how the answer is opened; reading it is elsewhere."""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, cast

import httpx2
import msgspec
from anthropic import AnthropicError, APIConnectionError, APIStatusError, AsyncAnthropic, AsyncStream

from providers import faults, http, wire
from providers.adapters import anthropic_faults, anthropic_input
from providers.adapters import anthropic_shapes as shapes
from providers.adapters.anthropic_events import MessagesReader
from providers.adapters.base import Adapter
from providers.contract import Deadlines, GenerateRequest, ModelInfo, OpenCredential
from providers.errors import ErrorCode, ProviderError
from providers.events import StreamEvent

BASE_URL = "https://api.anthropic.com"
# Said in every request, so that a newer SDK does not change what the wire means.
API_VERSION = "2026-10-21"
PAGE_SIZE = 1000
MOST_PAGES = 5

# What the SDK reads from the environment even when everything is passed to it.
_AMBIENT = ("ANTHROPIC_CUSTOM_HEADERS", "ANTHROPIC_WEBHOOK_SIGNING_KEY")
_PAGE = msgspec.json.Decoder(shapes.Page)
_NO_CAPABILITIES = shapes.Capabilities()


class Anthropic(Adapter):
    provider_id = "anthropic"
    failures = (AnthropicError,)
    rehearsal: ClassVar[bytes] = (
        b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"ready"}}\n\n'
        b'data: {"type":"message_stop"}\n\n'
    )

    async def native(self, credential: OpenCredential, request: GenerateRequest) -> AsyncGenerator[StreamEvent]:
        origin = credential.origin(request.model_id)
        body = anthropic_input.body(request, origin)
        async with _posted(_client(credential, request.deadlines), body) as response:
            reader = MessagesReader(origin, response.headers.get("request-id"))
            async for event in wire.events(response.aiter_bytes(), reader):
                yield event

    async def models(self, credential: OpenCredential) -> list[ModelInfo]:
        """What is left of the vendor's catalogue: it goes on listing what no longer answers."""
        rows = await _rows(_client(credential, Deadlines()))
        return [_info(row) for row in rows if row.lifecycle != "retired"]

    def classify(self, error: BaseException) -> ProviderError | None:
        if isinstance(error, APIStatusError):
            return anthropic_faults.failure(
                self.provider_id,
                error.body,
                status=error.status_code,
                headers=error.response.headers,
                request_id=error.request_id,
            )
        if isinstance(error, APIConnectionError):
            return faults.local(error.__cause__ or ConnectionError(), provider_id=self.provider_id)
        if isinstance(error, AnthropicError):
            words = faults.WORDS[ErrorCode.INVALID_REQUEST]
            return ProviderError(ErrorCode.INVALID_REQUEST, words, provider_id=self.provider_id, detail="sdk")
        return None


def _client(credential: OpenCredential, deadlines: Deadlines) -> AsyncAnthropic:
    """A client for one call over the shared pool, never closed: that would close the pool. The SDK writes `/v1` itself,
    so an address may end with it or not."""
    for name in _AMBIENT:
        os.environ.pop(name, None)
    secret = wire.key_of(credential)
    session = credential.kind == "session"
    return AsyncAnthropic(
        api_key=None if session else secret,
        auth_token=secret if session else None,
        base_url=credential.base_url.rstrip("/").removesuffix("/v1") or BASE_URL,
        http_client=http.client(),
        max_retries=0,
        timeout=http.timeout(deadlines),
        default_headers={"anthropic-version": credential.api_version or API_VERSION},
        open_telemetry=False,
    )


@asynccontextmanager
async def _posted(sdk: AsyncAnthropic, body: dict[str, Any]) -> AsyncIterator[httpx2.Response]:
    """The open response to `body`, its bytes not yet read.

    The SDK's generic request signs it and raises the right error; its typed method would walk every block of the input
    and build an object for every event.
    """
    answer = await sdk.post(
        "/v1/messages", body=body, cast_to=httpx2.Response, stream=True, stream_cls=AsyncStream[Any]
    )
    async with _closing(answer) as response:
        yield response


async def _rows(sdk: AsyncAnthropic) -> list[shapes.Model]:
    rows: list[shapes.Model] = []
    query: dict[str, object] = {"limit": PAGE_SIZE}
    for _ in range(MOST_PAGES):
        page = wire.decode(await _listed(sdk, query), _PAGE)
        rows += page.data
        if not page.has_more or not page.last_id:
            break
        query["after_id"] = page.last_id
    return rows


async def _listed(sdk: AsyncAnthropic, query: dict[str, object]) -> bytes:
    answer = await sdk.get(
        "/v1/models",
        cast_to=httpx2.Response,
        options={"params": query},
        stream=True,
        stream_cls=AsyncStream[Any],
    )
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


def _info(row: shapes.Model) -> ModelInfo:
    can = row.capabilities or _NO_CAPABILITIES
    structured = can.says("structured_outputs")
    created = wire.moment(row.created_at)
    return ModelInfo(
        row.id,
        label=row.display_name,
        context_window=row.max_input_tokens,
        max_output_tokens=row.max_tokens,
        # There is no word for tools alone: where their schemas can be strict, or the vendor's own tools run, they work.
        supports_tools=True if structured or can.says("server_tools") else None,
        supports_vision=can.says("image_input"),
        supports_documents=can.says("pdf_input"),
        supports_reasoning=can.says("thinking"),
        supports_structured=structured,
        # The epoch stands for a date that the vendor does not know.
        created_at=created if created and created.timestamp() else None,
        retires_at=wire.moment(row.retires_at),
    )
