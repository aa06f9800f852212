"""Google Gemini, through generateContent: what is asked for and how the answer is opened; reading it is elsewhere."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import httpx2
from google import genai
from google.genai import errors, types

from providers import http, wire
from providers.adapters import gemini_faults, gemini_input
from providers.adapters.base import Adapter
from providers.adapters.gemini_events import GeminiReader
from providers.contract import Deadlines, GenerateRequest, ModelInfo, OpenCredential
from providers.errors import ProviderError
from providers.events import StreamEvent

BASE_URL = "https://generativelanguage.googleapis.com"
PAGE_SIZE = 100
MOST_PAGES = 20

# The SDK's own default, v1, lacks what preview models need.
API_VERSION = "v1beta"
_VERSIONED = re.compile(r"(https?://.+)/(v\d\w*)")


class Kept(httpx2.AsyncBaseTransport):
    """Sends through the shared pool, keeps a successful response, and shows the SDK an empty one in its place.

    The SDK has no raw mode for streams, and its own reading costs twenty times ours. So it builds, signs and sends the
    request and raises its errors; the body is read by us.
    """

    def __init__(self, timeout: httpx2.Timeout) -> None:
        self.response: httpx2.Response | None = None
        self._timeout = timeout.as_dict()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions["timeout"] = self._timeout
        response = await http.client().send(request, stream=True)
        if response.status_code != httpx2.codes.OK:
            return response
        self.response = response
        return httpx2.Response(httpx2.codes.OK, headers={"content-type": "text/event-stream"})


class Gemini(Adapter):
    provider_id = "gemini"
    failures = (errors.APIError,)
    rehearsal: ClassVar[bytes] = (
        b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"ready"}]},"finishReason":"STOP"}]}\r\n\r\n'
    )

    async def native(self, credential: OpenCredential, request: GenerateRequest) -> AsyncGenerator[StreamEvent]:
        origin = credential.origin(request.model_id)
        body = gemini_input.body(request, origin)
        async with _posted(credential, request, body) as response:
            reader = GeminiReader(origin)
            async for event in wire.events(response.aiter_bytes(), reader):
                yield event

    async def models(self, credential: OpenCredential) -> list[ModelInfo]:
        try:
            rows = await _rows(_client(credential, Deadlines(), http.client()))
        except (TypeError, AttributeError, LookupError):
            # The SDK takes the list apart without looking at it first.
            raise ValueError("the list has another shape") from None
        return [_info(row) for row in rows if row.name and "generateContent" in (row.supported_actions or ())]

    def classify(self, error: BaseException) -> ProviderError | None:
        if not isinstance(error, errors.APIError):
            return None
        body = error.details.get("error", error.details) if isinstance(error.details, dict) else None
        return gemini_faults.failure(body, status=error.code, provider_id=self.provider_id)


@asynccontextmanager
async def _posted(
    credential: OpenCredential, request: GenerateRequest, body: dict[str, Any]
) -> AsyncIterator[httpx2.Response]:
    kept = Kept(http.timeout(request.deadlines))
    try:
        async with http.make(kept) as carrier:
            models = _client(credential, request.deadlines, carrier).aio.models
            # The body goes in whole: typed, the SDK would rebuild every part and drop what it does not know.
            config = types.GenerateContentConfig(
                http_options=types.HttpOptions(extra_body=body),
                automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
                automatic_continuation=False,
            )
            async for _ in await models.generate_content_stream(model=request.model_id, contents=".", config=config):
                pass
        if kept.response is None:
            raise httpx2.RemoteProtocolError("no response")
        yield kept.response
    finally:
        if kept.response is not None:
            await kept.response.aclose()


def _client(credential: OpenCredential, deadlines: Deadlines, carrier: httpx2.AsyncClient) -> genai.Client:
    """A client for one call. Everything the SDK would look up in the environment is said here."""
    address, version = placed(credential)
    return genai.Client(
        api_key=wire.key_of(credential),
        vertexai=False,
        http_options=types.HttpOptions(
            base_url=address,
            api_version=version,
            httpx_async_client=carrier,
            httpx_client=http.placeholder(),
            async_client_args={"ssl": http.ssl_context()},
            # Milliseconds, and never left out: without it the SDK waits for ever.
            timeout=round(deadlines.total * 1000),
        ),
    )


def placed(credential: OpenCredential) -> tuple[str, str]:
    """The address and the API version: one that ends the base URL is meant for it alone, and counts before the
    credential's own."""
    found = _VERSIONED.fullmatch(credential.base_url.rstrip("/"))
    if found:
        return found[1], found[2]
    return credential.base_url or BASE_URL, credential.api_version or API_VERSION


async def _rows(client: genai.Client) -> list[types.Model]:
    pager = await client.aio.models.list(config={"page_size": PAGE_SIZE})
    rows = list(pager.page)
    for _ in range(MOST_PAGES - 1):
        if not pager.config.get("page_token"):
            break
        rows += await pager.next_page()
    return rows


def _info(row: types.Model) -> ModelInfo:
    return ModelInfo(
        model_id=(row.name or "").removeprefix("models/"),
        label=row.display_name,
        context_window=row.input_token_limit,
        max_output_tokens=row.output_token_limit,
        supports_reasoning=row.thinking,
    )
